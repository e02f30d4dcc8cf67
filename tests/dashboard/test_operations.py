"""Every operation that the pages send is one that the API's committed schema allows."""

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate

from support.fake_api import SCHEMA
from taskengine_dashboard import operations
from taskengine_dashboard.client import Operation

OPERATIONS = [value for value in vars(operations).values() if isinstance(value, Operation)]


def test_none_is_left_out_of_the_list() -> None:
    assert set(OPERATIONS) == set(operations.ALL)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_schema_allows_it(operation: Operation) -> None:
    assert validate(build_schema(SCHEMA), parse(operation.text)) == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_it_is_named_as_its_text_says(operation: Operation) -> None:
    definitions = parse(operation.text).definitions
    names = [one.name.value for one in definitions if isinstance(one, OperationDefinitionNode) and one.name]
    assert names == [operation.name]
