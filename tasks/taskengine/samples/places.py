"""What the sample tasks may read, and where they write.

Anyone who reaches the API can enqueue a sample, so a path in its arguments is
no path of this machine: its first part names one of three folders, and nothing
outside them is ever opened. Files are written below ``samples`` in the data
directory, whole or not at all, and old ones make room for new ones.
"""

import os
import secrets
import shutil
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from taskengine.samples.house import engine

PACKAGED = Path(__file__).resolve().parent.parent / "sample_data"
MAX_FILE_BYTES = 5_000_000
_PATTERN = r"^(packaged|stdlib|samples)(/[A-Za-z0-9_\-][A-Za-z0-9_.\- ]{0,99}){0,12}$"

InputPath = Annotated[str, Field(max_length=300, pattern=_PATTERN)]
"""``packaged/…`` (what this package brings), ``stdlib/…`` (Python's own sources) or ``samples/…``
(in the data directory: what other samples wrote, and files of your own)."""

CsvFile = Annotated[InputPath, Field(description="A CSV file below packaged/ or samples/.")]


class PathRefused(ValueError):
    """A path leads nowhere, or to where a sample task may not look."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"{self.path!r} {self.problem}"


def readable_file(path: str) -> Path:
    """Return the file that an argument names; raise ``PathRefused`` if it may not be read."""
    found = _inside(path)
    if not found.is_file():
        raise PathRefused(path, "is not a file")
    size = found.stat().st_size
    if size > MAX_FILE_BYTES:
        raise PathRefused(path, f"is too large: expected at most {MAX_FILE_BYTES:,} bytes, got {size:,}")
    return found


def readable_files(folder: str, pattern: str, at_most: int) -> list[Path]:
    """Return the first ``at_most`` files below a folder whose names match, in order of path.

    Packages that were installed beside the standard library are no part of it and are left out,
    and so are links, whatever they lead to.
    """
    root = _inside(folder)
    if not root.is_dir():
        raise PathRefused(folder, "is not a folder")
    found: list[Path] = []
    for file in _walk(root, pattern):
        found.append(file)
        if len(found) == at_most:
            break
    return found


def output_folder(kind: str, *parts: str) -> Path:
    """Return the folder below ``samples`` in the data directory for one kind of output, made if need be."""
    folder = home().joinpath(kind, *parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_once(path: Path, content: bytes) -> bool:
    """Write a file whole, and return True; return False if it is there already.

    What makes a retried job harmless: work that an earlier attempt finished is seen and skipped,
    and a file that it had half written does not count.
    """
    if path.exists():
        return False
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return True


def keep_newest(folder: Path, count: int) -> None:
    """Remove all but the ``count`` last entries by name. Job ids sort by time, so those are the newest."""
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    for name in names[: max(0, len(names) - count)]:
        old = folder / name
        if old.is_dir():
            shutil.rmtree(old, ignore_errors=True)  # another worker may be removing it too
        else:
            old.unlink(missing_ok=True)


def shown(path: Path) -> str:
    """Return a path as results show it, from the data directory on: an ``InputPath`` that leads back to it."""
    return path.relative_to(home().parent).as_posix()


def home() -> Path:
    """Return ``samples`` in the data directory: all that the samples ever write is below it."""
    return engine.settings.data_dir.resolve() / "samples"


def _inside(path: str) -> Path:
    name, _, rest = path.partition("/")
    roots = {"packaged": PACKAGED, "stdlib": Path(sysconfig.get_path("stdlib")).resolve(), "samples": home()}
    if name not in roots:
        raise PathRefused(path, f"is refused: expected a path that begins with {', '.join(roots)}")
    found = (roots[name] / rest).resolve()
    if not found.is_relative_to(roots[name]):
        raise PathRefused(path, f"is refused: it leads out of {name}")
    if "site-packages" in found.parts[len(roots[name].parts) :]:
        raise PathRefused(path, "is refused: installed packages are no part of the standard library")
    return found


def _walk(root: Path, pattern: str) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in {"site-packages", "__pycache__"})
        for name in sorted(names):
            file = Path(folder, name)
            if file.match(pattern) and file.is_file() and not file.is_symlink():
                yield file
