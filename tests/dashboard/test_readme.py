"""The dashboard's README: what it says of settings and files is so."""

import re
from dataclasses import fields
from pathlib import Path

from taskengine_dashboard import parts
from taskengine_dashboard.serve import PACKAGE
from taskengine_dashboard.settings import PREFIX, DashboardSettings

README = (Path(__file__).parents[2] / "dashboard" / "README.md").read_text("utf-8")


def shown(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def test_its_table_of_settings_is_the_settings_with_their_defaults() -> None:
    table = dict(re.findall(r"(?m)^\| `(TASKENGINE_DASHBOARD_\w+)` \|\s*(?:`([^`]*)`)?\s*\|", README))
    assert table == {PREFIX + field.name.upper(): shown(field.default) for field in fields(DashboardSettings)}


def test_it_names_every_module() -> None:
    modules = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py", "shapes.py"}
    packages = {f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}
    assert {name for name in modules | packages if name not in README} == set()


def test_it_names_every_part() -> None:
    assert {name for name in parts.__all__ if f"parts.{name}" not in README} == set()
