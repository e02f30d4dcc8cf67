"""The README's pictures: each in light and in dark, small enough for a repository, described to those who see none."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PICTURES = ROOT / "docs" / "pictures"
MOST_BYTES = 1_500_000


def test_the_readme_shows_each_picture_that_there_is_in_light_and_in_dark() -> None:
    shown = set(re.findall(r"docs/pictures/([\w-]+\.webp)", README))
    assert shown == {file.name for file in PICTURES.iterdir()}
    names = {name.rsplit("-", 1)[0] for name in shown}
    assert shown == {f"{name}-{theme}.webp" for name in names for theme in ("light", "dark")}


def test_they_are_small() -> None:
    assert sum(file.stat().st_size for file in PICTURES.iterdir()) < MOST_BYTES


def test_each_is_described() -> None:
    images = re.findall(r"<img [^>]*>", README)
    assert images
    assert all(re.search(r'alt="[^"]{10,}"', image) for image in images)
