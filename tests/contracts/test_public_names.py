"""``__all__``, where a module has one: sorted, true, and complete."""

import importlib
import pkgutil
from types import ModuleType

import pytest

import taskengine
import taskengine_api
import taskengine_dashboard


def modules() -> list[str]:
    """Every module of the three packages that can be imported without doing something."""
    names: list[str] = []
    for package in (taskengine, taskengine_api, taskengine_dashboard):
        names += [package.__name__]
        names += [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [name for name in names if not name.endswith(("__main__", "taskengine_dashboard.app"))]


WITH_ALL = [name for name in modules() if hasattr(importlib.import_module(name), "__all__")]


@pytest.mark.parametrize("name", WITH_ALL)
def test_it_is_sorted_and_names_nothing_twice(name: str) -> None:
    names = list(importlib.import_module(name).__all__)
    assert names == sorted(set(names))


@pytest.mark.parametrize("name", WITH_ALL)
def test_every_name_in_it_is_there(name: str) -> None:
    module = importlib.import_module(name)
    assert [public for public in module.__all__ if getattr(module, public, None) is None] == []


@pytest.mark.parametrize("name", WITH_ALL)
def test_it_leaves_no_public_name_of_the_module_out(name: str) -> None:
    module = importlib.import_module(name)
    defined = {
        public
        for public, value in vars(module).items()
        if not public.startswith("_")
        and getattr(value, "__module__", None) == name
        and not isinstance(value, ModuleType)
    }
    assert defined <= set(module.__all__)


def test_the_package_says_what_is_public() -> None:
    assert "taskengine" in WITH_ALL
    assert {"TaskEngine", "current_job", "Options", "Client"} <= set(taskengine.__all__)
