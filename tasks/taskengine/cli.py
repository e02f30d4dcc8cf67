"""The ``taskengine`` command: reads arguments and environment, and words what went wrong.

Each command imports what it runs
when it is called: a worker's machine needs neither the API nor the dashboard.
"""

import argparse
import importlib.metadata
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from taskengine.errors import InvalidInput, InvalidSetting, TaskEngineError
from taskengine.roles import Role
from taskengine.settings import Settings

_PROGRAM = "taskengine"
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_TARGET_HELP = "where the engine is: shop.tasks:engine is `engine` in the module shop/tasks.py"
# What an extra brings; it is called as the command that needs it.
_EXTRAS = {
    "api": {"fastapi", "httptools", "orjson", "strawberry", "uvicorn", "uvloop", "websockets"},
    "dashboard": {"httpx", "pyarrow", "streamlit"},
}

if TYPE_CHECKING:
    from taskengine.worker.queue_choice import QueueChoice

    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]
_Run = Callable[[argparse.Namespace, Settings], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0, 1 if something failed, 2 if what was asked for is wrong.

    ``check`` and ``reencrypt`` have their own: 1 when something disagrees or is left, 2 when they could not look.
    """
    chosen = _parser().parse_args(arguments)
    try:
        return chosen.run(chosen, Settings.from_env(os.environ))
    except InvalidSetting as problem:
        return _complain(problem, 2)
    except TaskEngineError as problem:
        return _complain(problem, 1)
    except ModuleNotFoundError as problem:
        return _complain(_missing_extra(chosen.command, problem), 1)
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Background jobs on Redis, steered and watched through GraphQL.",
        epilog="Settings are environment variables that begin with TASKENGINE_; the README lists them.",
    )
    parser.add_argument("--version", action="version", version=f"{_PROGRAM} {_version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_up(commands)
    _add_worker(commands)
    _add_api(commands)
    _add_dashboard(commands)
    _add_demo(commands)
    _add_keys(commands)
    _add_check(commands)
    _add_reencrypt(commands)
    return parser


def _add_up(commands: "_Commands") -> None:
    up = _add(commands, "up", _up, "run everything here: Redis if none is set, a worker, the API, the dashboard")
    up.add_argument("target", metavar="MODULE:ENGINE", nargs="?", help=f"{_TARGET_HELP} (the sample tasks)")


def _add_worker(commands: "_Commands") -> None:
    worker = _add(commands, "worker", _worker, "run the tasks of an engine")
    worker.add_argument("target", metavar="MODULE:ENGINE", help=_TARGET_HELP)
    worker.add_argument("--concurrency", metavar="N", type=_count, default=10, help="jobs at the same time (10)")
    worker.add_argument("--mode", choices=("thread", "process"), default="thread", help="what runs a job (thread)")
    worker.add_argument(
        "--queues",
        metavar="A,B",
        help="the queues it serves (all), the highest priority of any first; A=3,B=1 looks at A for three jobs of four",
    )
    worker.add_argument(
        "--queue-order",
        choices=("priority", "strict"),
        default="priority",
        help="strict: nothing of a queue as long as one before it has a job to give (priority)",
    )


def _add_api(commands: "_Commands") -> None:
    api = _add(commands, "api", _api, "serve the GraphQL API on TASKENGINE_API_PORT")
    api.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")


def _add_dashboard(commands: "_Commands") -> None:
    _add(commands, "dashboard", _dashboard, "serve the dashboard on TASKENGINE_DASHBOARD_PORT")


def _add_demo(commands: "_Commands") -> None:
    demo = _add(commands, "demo", _demo, "enqueue a mix of the sample tasks and keep a trickle coming, until Ctrl-C")
    demo.add_argument("--jobs", metavar="N", type=int, default=120, help="jobs of the first wave (120)")
    demo.add_argument("--once", action="store_true", help="no trickle: end after the first wave")
    demo.add_argument("--trouble", action="store_true", help="also a job that kills its worker, and one that hangs")


def _add_keys(commands: "_Commands") -> None:
    keys = _add(commands, "keys", _list_keys, "make, list and revoke keys of the API")
    actions = keys.add_subparsers(metavar="ACTION", required=True)
    create = _add(actions, "create", _create_key, "make a key; its secret is shown once")
    create.add_argument("name", metavar="NAME", help="whose it is: by this name their actions are written down")
    create.add_argument(
        "--role", type=_role, default=Role.VIEWER, metavar="ROLE", help=f"{', '.join(Role)} ({Role.VIEWER})"
    )
    create.add_argument("--expires", type=_time, metavar="TIME", help="when it ends: 90d, 12h (never)")
    _add(actions, "list", _list_keys, "list the keys, without their secrets")
    revoke = _add(actions, "revoke", _revoke_key, "take a key away, within about a second")
    revoke.add_argument("name", metavar="NAME", help="whose")


def _add_check(commands: "_Commands") -> None:
    check = _add(commands, "check", _check, "compare every job with the indexes and the log of events, while all runs")
    check.add_argument("--repair", action="store_true", help="make the indexes anew where they disagree with the jobs")
    check.add_argument("--json", action="store_true", help="a line of JSON for each disagreement, and for the summary")
    check.epilog = "Exit code: 0 all is well or was mended, 1 something disagrees, 2 it could not look."


def _add_reencrypt(commands: "_Commands") -> None:
    summary = "encrypt what is kept anew, under the first key of TASKENGINE_ENCRYPTION_KEY, while all runs"
    reencrypt = _add(commands, "reencrypt", _reencrypt, summary)
    reencrypt.add_argument("--dry-run", action="store_true", help="only count what another key encrypted, or none")
    reencrypt.epilog = "Exit code: 0 the first key opens all, 1 something needs another one, 2 it could not look."


def _add(commands: "_Commands", name: str, run: _Run, summary: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    command.set_defaults(run=run, command=name)
    return command


def _up(chosen: argparse.Namespace, settings: Settings) -> int:
    from taskengine.up import SAMPLES, up

    return up(_target(chosen.target or SAMPLES), settings, os.environ)


def _worker(chosen: argparse.Namespace, settings: Settings) -> int:
    target = _target(chosen.target)
    from taskengine.worker.main import run_worker

    queues = _queues(chosen.queues, strict=chosen.queue_order == "strict")
    return run_worker(target, concurrency=chosen.concurrency, mode=chosen.mode, queues=queues, settings=settings)


def _api(chosen: argparse.Namespace, settings: Settings) -> int:
    from taskengine_api.serve import main as serve

    return serve(settings, chosen.host, os.environ)


def _dashboard(_chosen: argparse.Namespace, settings: Settings) -> int:
    from taskengine_dashboard.serve import main as serve

    return serve(f"http://127.0.0.1:{settings.api_port}", settings.dashboard_port)


def _demo(chosen: argparse.Namespace, settings: Settings) -> int:
    from taskengine.demo import run

    return run(settings, jobs=chosen.jobs, trickle=not chosen.once, trouble=chosen.trouble)


def _create_key(chosen: argparse.Namespace, settings: Settings) -> int:
    from taskengine.key_commands import create

    return create(settings, chosen.name, chosen.role, chosen.expires)


def _list_keys(_chosen: argparse.Namespace, settings: Settings) -> int:
    from taskengine.key_commands import show

    return show(settings)


def _revoke_key(chosen: argparse.Namespace, settings: Settings) -> int:
    from taskengine.key_commands import revoke

    return revoke(settings, chosen.name)


def _check(chosen: argparse.Namespace, settings: Settings) -> int:
    from taskengine.check.report import run_check

    return run_check(settings, repair=chosen.repair, as_json=chosen.json)


def _reencrypt(chosen: argparse.Namespace, settings: Settings) -> int:
    from taskengine.reencryption.report import run_reencrypt

    return run_reencrypt(settings, dry_run=chosen.dry_run)


def _target(text: str) -> str:
    if _TARGET.fullmatch(text):
        return text
    raise InvalidSetting("MODULE:ENGINE", f"is {text!r}, but should be like shop.tasks:engine ({_TARGET_HELP})")


def _count(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 1_000:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number from 1 to 1000, got {text!r}")


def _queues(text: str | None, *, strict: bool) -> "QueueChoice":
    from taskengine.worker.queue_choice import QueueChoice

    if text is None and strict:
        raise InvalidSetting("--queue-order", "strict needs --queues, which says in which order")
    try:
        return QueueChoice() if text is None else QueueChoice.parse(text, strict=strict)
    except InvalidInput as problem:
        raise InvalidSetting("--queues", problem.message) from None


def _role(text: str) -> Role:
    if text.upper() in list(Role):
        return Role(text.upper())
    raise argparse.ArgumentTypeError(f"expected one of {', '.join(Role)}, got {text!r}")


def _time(text: str) -> float:
    from taskengine.key_commands import seconds_of

    try:
        return seconds_of(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def _complain(problem: object, code: int) -> int:
    print(f"{_PROGRAM}: {problem}", file=sys.stderr)
    return code


def _missing_extra(command: str, problem: ModuleNotFoundError) -> str:
    """Name the extra that a command needs. Any other module that is not there is no matter of extras."""
    library = (problem.name or "").partition(".")[0]
    if library not in _EXTRAS.get(command, ()):
        raise problem
    return f"{library} is not installed; install TaskEngine with its `{command}` extra"


def _version() -> str:
    try:
        return importlib.metadata.version(_PROGRAM)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
