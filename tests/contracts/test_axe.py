"""The tests that audit pages with axe-core: skipped with advice where it is not installed, and never skipped in CI."""

from pathlib import Path

import pytest

from support import axe


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(axe, "PROGRAM", tmp_path / "axe.min.js")


def test_without_it_a_test_is_skipped_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="make clients"):
        axe.need_axe()


def test_in_ci_it_fails_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="make clients"):
        axe.need_axe()
