"""The tests that run clients in Node: skipped with advice where there is none, and never skipped in CI."""

import json
import re
from pathlib import Path

import pytest

from support.node import PROGRAMS, node_path

ROOT = Path(__file__).parents[2]


def test_without_node_a_test_is_skipped_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="make clients"):
        node_path()


def test_in_ci_it_fails_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="make clients"):
        node_path()


def test_every_package_is_pinned_with_a_checksum_and_names_no_registry() -> None:
    wanted = json.loads((PROGRAMS / "package.json").read_text("utf-8"))["dependencies"]
    assert [name for name, version in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    packages = json.loads((PROGRAMS / "package-lock.json").read_text("utf-8"))["packages"]
    installed = {name: package for name, package in packages.items() if name}
    assert len(installed) > len(wanted)
    assert [name for name, package in installed.items() if "integrity" not in package or "resolved" in package] == []


def test_the_example_has_the_packages_that_are_tested() -> None:
    example = json.loads((ROOT / "examples" / "typescript" / "package.json").read_text("utf-8"))
    tested = json.loads((PROGRAMS / "package.json").read_text("utf-8"))["dependencies"]
    for kind in ("dependencies", "devDependencies"):
        assert example[kind] == {name: tested[name] for name in example[kind]}
