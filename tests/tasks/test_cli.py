"""The ``taskengine`` command: what it hands on, and how it words what is wrong."""

import os
import sys
from types import ModuleType
from typing import Any

import pytest

from taskengine.cli import main
from taskengine.errors import InvalidSetting, RedisUnavailable
from taskengine.worker.queue_choice import QueueChoice


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TASKENGINE_")]:
        monkeypatch.delenv(name)


class Called:
    """Stands where a command's own module would, and keeps what it was called with."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: str, function: str) -> None:
        self.args: tuple[Any, ...] = ()
        self.kwargs: dict[str, Any] = {}
        self.raises: Exception | None = None
        stand_in = ModuleType(module)
        setattr(stand_in, function, self)
        monkeypatch.setitem(sys.modules, module, stand_in)

    def __call__(self, *args: Any, **kwargs: Any) -> int:
        self.args, self.kwargs = args, kwargs
        if self.raises:
            raise self.raises
        return 0


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Called:
    return Called(monkeypatch, "taskengine.worker.main", "run_worker")


def told(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what went to stderr, which is one line."""
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    return text.strip()


def test_a_worker_runs_ten_threads_on_every_queue_unless_told_otherwise(worker: Called) -> None:
    assert main(["worker", "shop.tasks:engine"]) == 0
    assert worker.args == ("shop.tasks:engine",)
    assert (worker.kwargs["concurrency"], worker.kwargs["mode"], worker.kwargs["queues"]) == (
        10,
        "thread",
        QueueChoice(),
    )


def test_a_worker_is_told_how_many_of_what_and_for_whom(worker: Called) -> None:
    main(["worker", "shop.tasks:engine", "--concurrency", "4", "--mode", "process", "--queues", "mail, slow"])
    assert (worker.kwargs["concurrency"], worker.kwargs["mode"]) == (4, "process")
    assert worker.kwargs["queues"] == QueueChoice(names=("mail", "slow"))


def test_a_worker_is_told_by_weight_or_order_which_queue_comes_first(worker: Called) -> None:
    main(["worker", "shop.tasks:engine", "--queues", "mail=3,slow=1"])
    assert worker.kwargs["queues"] == QueueChoice(names=("mail", "slow"), weights=(3, 1))
    main(["worker", "shop.tasks:engine", "--queues", "mail,slow", "--queue-order", "strict"])
    assert worker.kwargs["queues"] == QueueChoice(names=("mail", "slow"), strict=True)


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--queues", "x y"], "--queues expected 1 to 100 of the characters A-Z a-z 0-9 _ . -, got 'x y'"),
        (["--queue-order", "strict"], "--queue-order strict needs --queues, which says in which order"),
        (["--queues", "a=3,b"], "--queues expected a weight for every queue or for none, got none for 'b'"),
    ],
)
def test_queues_that_cannot_be_meant_are_refused(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["worker", "a:b", *arguments]) == 2
    assert told(capsys) == f"taskengine: {complaint}"


def test_the_settings_come_from_the_environment(worker: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKENGINE_LEASE_SECONDS", "3")
    main(["worker", "shop.tasks:engine"])
    assert worker.kwargs["settings"].lease_seconds == 3


def test_the_api_listens_on_the_loopback_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Called(monkeypatch, "taskengine_api.serve", "main")
    main(["api"])
    assert api.args[1] == "127.0.0.1"
    main(["api", "--host", "0.0.0.0"])
    assert api.args[1] == "0.0.0.0"


def test_the_dashboard_is_told_where_the_api_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKENGINE_API_PORT", "8080")
    dashboard = Called(monkeypatch, "taskengine_dashboard.serve", "main")
    main(["dashboard"])
    assert dashboard.args == ("http://127.0.0.1:8080", 8501)


def test_up_runs_the_sample_tasks_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    up = Called(monkeypatch, "taskengine.up", "up")
    sys.modules["taskengine.up"].SAMPLES = "taskengine.samples:engine"  # pyright: ignore[reportAttributeAccessIssue]
    main(["up"])
    assert up.args[0] == "taskengine.samples:engine"
    main(["up", "shop.tasks:engine"])
    assert up.args[0] == "shop.tasks:engine"


def test_what_is_no_engine_is_told_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worker", "shop.tasks"]) == 2
    assert told(capsys).startswith("taskengine: MODULE:ENGINE is 'shop.tasks', but should be like shop.tasks:engine")


def test_a_setting_that_is_none_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKENGINE_LEASE_SECOND", "3")
    assert main(["worker", "shop.tasks:engine"]) == 2
    assert "TASKENGINE_LEASE_SECOND is not a setting; did you mean" in told(capsys)


@pytest.mark.parametrize(
    ("problem", "code"), [(InvalidSetting("TASKENGINE_API_PORT", "is taken"), 2), (RedisUnavailable("no Redis"), 1)]
)
def test_an_error_of_ours_is_one_line_and_no_traceback(
    worker: Called, capsys: pytest.CaptureFixture[str], problem: Exception, code: int
) -> None:
    worker.raises = problem
    assert main(["worker", "shop.tasks:engine"]) == code
    assert told(capsys) == f"taskengine: {problem}"


def test_a_library_of_an_extra_that_is_not_there_is_told_by_its_extra(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Called(monkeypatch, "taskengine_api.serve", "main")
    api.raises = ModuleNotFoundError("No module named 'uvicorn'", name="uvicorn")
    assert main(["api"]) == 1
    assert told(capsys) == "taskengine: uvicorn is not installed; install TaskEngine with its `api` extra"


def test_a_module_of_a_users_own_that_is_not_there_is_not_hidden(worker: Called) -> None:
    worker.raises = ModuleNotFoundError("No module named 'httpx'", name="httpx")  # in an extra, but not the worker's
    with pytest.raises(ModuleNotFoundError, match="httpx"):
        main(["worker", "shop.tasks:engine"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["worker", "a:b", "--concurrency", "0"],
        ["worker", "a:b", "--mode", "gevent"],
        ["worker", "a:b", "--queue-order", "any"],
        [],
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("taskengine ")
