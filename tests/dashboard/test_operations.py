"""Every operation that the pages send is one that the API's committed schema allows."""

import importlib
import pkgutil

import pytest
from graphql import OperationDefinitionNode, build_schema, get_operation_ast, parse, validate

import taskengine_dashboard
from support.fake_api import SCHEMA
from taskengine_api.cost import LIMIT, Costs
from taskengine_dashboard.client import Operation


def every_operation() -> list[Operation]:
    """Return the operations of all modules, wherever they stand."""
    found: dict[int, Operation] = {}
    for module in pkgutil.walk_packages(taskengine_dashboard.__path__, "taskengine_dashboard."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Operation):
                found[id(value)] = value
    return sorted(found.values(), key=lambda operation: operation.name)


OPERATIONS = every_operation()


def test_operations_are_found_and_each_has_a_name_of_its_own() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert {"Overview", "Jobs", "Job", "CancelJob"} <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_schema_allows_it(operation: Operation) -> None:
    assert validate(build_schema(SCHEMA), parse(operation.text)) == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_it_is_named_as_its_text_says(operation: Operation) -> None:
    definitions = parse(operation.text).definitions
    names = [one.name.value for one in definitions if isinstance(one, OperationDefinitionNode) and one.name]
    assert names == [operation.name]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_each_costs_no_more_than_an_operation_may(operation: Operation) -> None:
    document = parse(operation.text)
    asked = get_operation_ast(document)
    assert asked is not None
    assert Costs(build_schema(SCHEMA), document).of(asked, {"first": 100}) <= LIMIT
