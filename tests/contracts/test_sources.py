"""What no file of the project may hold: where packages were downloaded, and where someone's machine keeps them."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REGISTRIES = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "yarn" + "pkg.com",
    "deb" + ".debian.org",
]
HOME = re.compile(r"(?<![\w./-])/(?:work|root|home|Users)/\w")
NOT_OURS = ("/static/",)
"""Files that others wrote and we serve as they are."""


def sources() -> list[Path]:
    """Every text file that git knows or would take."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8192]]


def found(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in paths
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_the_host_of_a_registry() -> None:
    ours = [path for path in sources() if not any(part in path.as_posix() for part in NOT_OURS)]
    assert found(re.compile("|".join(map(re.escape, REGISTRIES))), ours) == []


def test_no_file_names_a_place_on_someones_machine() -> None:
    ours = [path for path in sources() if not any(part in path.as_posix() for part in NOT_OURS)]
    assert found(HOME, ours) == []


@pytest.mark.parametrize("name", ["build", "dev", "runtime"])
def test_every_requirement_is_pinned_with_hashes(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    requirements = re.split(r"\n(?=\S)", re.sub(r"(?m)^#.*\n", "", text).strip())
    loose = [r.split()[0] for r in requirements if not re.match(r"[\w.\[\]-]+==\S+", r) or "--hash=sha256:" not in r]
    assert loose == []
    assert len(requirements) >= 5
