"""The README: what it says of settings, commands and files is so."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from taskengine.cli import main
from taskengine.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tasks/README.md", "api/README.md", "dashboard/README.md"]
DOCUMENTS += ["docs/running.md", "docs/from-huey.md", "docs/from-celery.md", "examples/README.md"]


def table() -> dict[str, str]:
    """Return the settings table: variable to default, as written."""
    section = README.split("## Settings")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(TASKENGINE_\w+)` \|\s*(?:`([^`]*)`)?\s*\|", section, re.MULTILINE))


def shown(value: object) -> str:
    if value is None or value is MISSING:
        return ""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def test_its_table_of_settings_is_the_settings_with_their_defaults() -> None:
    assert table() == {PREFIX + field.name.upper(): shown(field.default) for field in fields(Settings)}


def test_it_opens_with_the_two_commands() -> None:
    commands = re.findall(r"(?m)^(make \w+)", README.split("```")[1])
    assert commands == ["make up", "make test"]
    assert README.index("```") < 30


def test_its_table_of_commands_is_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    section = README.split("## The command")[1].split("\n## ")[0]
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = re.findall(r"^    ([a-z]+)\s", capsys.readouterr().out, re.MULTILINE)
    assert re.findall(r"^\| `taskengine (\w+)", section, re.MULTILINE) == commands


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_links_to_is_there(document: str) -> None:
    path = ROOT / document
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_make_target_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(r"(?:`|^)make ([a-z]+)", (ROOT / document).read_text("utf-8"), re.MULTILINE)
    }
    assert named - targets == set()
