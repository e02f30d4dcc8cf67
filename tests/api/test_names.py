"""Names: from Python's and JSON's to GraphQL's."""

import pytest

from taskengine_api.names import TypeNames, camel, clashes, enum_names, field_names, is_name, pascal, task_names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mail.send", "MailSend"),
        ("sync.import_csv", "SyncImportCsv"),
        ("sendEmail", "SendEmail"),
        ("a-b", "AB"),
        ("2fa.send", "Task2faSend"),
        ("__", "Task"),
    ],
)
def test_a_task_gives_a_name_that_graphql_allows(text: str, name: str) -> None:
    assert pascal(text) == name
    assert is_name(pascal(text))


@pytest.mark.parametrize(
    ("text", "name"), [("first_name", "firstName"), ("to", "to"), ("_x", "_x"), ("a__b", "aB"), ("URL", "URL")]
)
def test_a_parameter_is_written_in_camel_case(text: str, name: str) -> None:
    assert camel(text) == name


def test_properties_that_would_be_one_in_camel_case_stay_as_they_are() -> None:
    assert field_names(["a_b", "aB"]) == {"a_b": "a_b", "aB": "aB"}


@pytest.mark.parametrize("properties", [["naïve"], ["__x"], ["a-b", "c"]])
def test_properties_that_graphql_cannot_name_have_no_names(properties: list[str]) -> None:
    assert field_names(properties) is None


def test_enum_values_are_upper_case_and_keep_what_they_stand_for() -> None:
    assert enum_names(["b-c", "usEast1", 5, -5, 1.5, "", True]) == {
        "B_C": "b-c",
        "US_EAST1": "usEast1",
        "V_5": 5,
        "MINUS_5": -5,
        "V_1_5": 1.5,
        "EMPTY": "",
        "TRUE": True,
    }


def test_enum_values_that_would_be_one_in_upper_case_stay_as_they_are() -> None:
    assert enum_names(["a", "A"]) == {"a": "a", "A": "A"}


@pytest.mark.parametrize("values", [["true", "TRUE"], ["a b", "a-b"], ["é", "è"]])
def test_enum_values_that_graphql_cannot_tell_apart_have_no_names(values: list[str]) -> None:
    assert enum_names(values) is None


def test_tasks_that_would_share_a_name_all_get_their_own_suffix() -> None:
    names = task_names(["mail.send", "mail_send", "other"], taken=[])
    assert names["other"] == "Other"
    assert names["mail.send"] != names["mail_send"]
    assert all(name.startswith("MailSend_") for task, name in names.items() if task != "other")
    assert set(clashes(names)) == {"mail.send", "mail_send"}


def test_the_name_of_a_task_never_becomes_that_of_another_when_more_appear() -> None:
    alone = task_names(["mail_send"], taken=[])
    together = task_names(["mail.send", "mail_send", "mail-send"], taken=[])
    assert alone["mail_send"] not in together.values()
    assert together["mail_send"] == task_names(["mail_send", "mail-send"], taken=[])["mail_send"]


def test_a_task_does_not_take_a_name_that_is_there_already() -> None:
    assert task_names(["job"], taken=["Job"])["job"].startswith("Job_")


def test_a_type_name_is_handed_out_once() -> None:
    names = TypeNames(["A"])
    assert [names.new("A"), names.new("A"), names.new("B")] == ["A_2", "A_3", "B"]
