"""``taskengine worker MODULE:ENGINE``: how the engine is found, and what a worker tells of itself."""

import json
import re
from pathlib import Path

import pytest

from taskengine import TaskEngine
from taskengine.errors import InvalidSetting
from taskengine.worker.facts import WorkerFacts, worker_name
from taskengine.worker.main import load_engine

SHOP = """
from taskengine import TaskEngine, Settings
engine = TaskEngine("shop", url="redis://127.0.0.1:1/0", settings=Settings())
something = 1
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """The directory of a user's project; its one module has a name that no other test uses."""
    name = f"shop_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(SHOP, encoding="utf-8")
    (tmp_path / f"{name}_broken.py").write_text("import a_module_that_is_not_installed", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_an_engine_is_found_by_module_and_name(project: str) -> None:
    engine = load_engine(f"{project}:engine")
    assert isinstance(engine, TaskEngine)
    assert engine.name == "shop"


@pytest.mark.parametrize("target", ["shop", ":engine", "shop:", ""])
def test_what_is_no_target_is_refused_with_an_example(target: str) -> None:
    with pytest.raises(InvalidSetting, match="is not MODULE:ENGINE, for example shop.tasks:engine"):
        load_engine(target)


@pytest.mark.usefixtures("project")
def test_a_module_that_is_not_there_is_named_with_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match=f"names no module 'nowhere' on the path of {re.escape(str(tmp_path))}"):
        load_engine("nowhere.tasks:engine")


def test_a_misspelt_engine_gets_a_hint(project: str) -> None:
    with pytest.raises(InvalidSetting, match=f"names no TaskEngine 'engin' in {project}; did you mean 'engine'"):
        load_engine(f"{project}:engin")


def test_a_name_that_is_no_engine_is_refused_with_those_that_are(project: str) -> None:
    with pytest.raises(InvalidSetting, match=f"names no TaskEngine 'something' in {project}; it has engine"):
        load_engine(f"{project}:something")


def test_what_a_module_itself_lacks_is_not_blamed_on_the_target(project: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_installed"):
        load_engine(f"{project}_broken:engine")


def test_every_worker_has_a_name_of_its_own_with_host_and_process() -> None:
    names = {worker_name() for _ in range(50)}
    assert len(names) > 40  # the last four letters are drawn
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+-\d+-[0-9a-f]{4}", name) for name in names)


def test_a_worker_tells_what_others_want_to_know() -> None:
    facts = WorkerFacts(name="w", queues=("mail", "bulk"), concurrency=4, mode="thread", started_at_ms=7)
    told = json.loads(facts.as_json(["j1"]))
    assert (told["queues"], told["concurrency"], told["mode"]) == (["mail", "bulk"], 4, "thread")
    assert (told["started_at"], told["draining"], told["running"]) == (7, False, ["j1"])
    assert told["pid"] > 0
    assert told["version"]
