"""``images.render``: a series of pictures, computed point by point and written as PNG files."""

import cmath
import math
import struct
import zlib
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from taskengine import Backoff, current_job
from taskengine.samples.house import engine, this_job
from taskengine.samples.places import keep_newest, output_folder, shown, write_once

KEPT_SERIES = 50
Palette = Literal["fire", "forest", "ocean", "paper"]
_STOPS: dict[Palette, tuple[tuple[int, int, int], ...]] = {
    "fire": ((12, 6, 20), (110, 16, 40), (222, 82, 24), (250, 190, 60), (255, 250, 220)),
    "forest": ((8, 20, 14), (24, 68, 44), (96, 132, 60), (198, 190, 108), (248, 246, 226)),
    "ocean": ((6, 10, 34), (18, 52, 104), (34, 122, 160), (130, 202, 204), (244, 252, 248)),
    "paper": ((20, 20, 22), (90, 88, 86), (160, 156, 150), (214, 210, 202), (252, 250, 245)),
}


class Subject(StrEnum):
    """What the pictures show."""

    MANDELBROT = "MANDELBROT"
    JULIA = "JULIA"
    PLASMA = "PLASMA"


class Size(BaseModel):
    """Width and height in pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Annotated[int, Field(ge=16, le=640, description="Pixels across.")] = 240
    height: Annotated[int, Field(ge=16, le=480, description="Pixels down.")] = 160


POSTCARD = Size()


class Picture(BaseModel):
    """One picture of the series."""

    file: str
    bytes: int


class Series(BaseModel):
    """The pictures of one job, in order."""

    subject: Subject
    pictures: list[Picture]


@engine.task(
    name="images.render",
    queue="images",
    priority=4,
    max_attempts=3,
    timeout=900,
    retry_on=(OSError,),
    backoff=Backoff(base_seconds=2, factor=3, cap_seconds=60, jitter=True),
)
def render_images(
    subject: Annotated[Subject, Field(description="What to compute.")] = Subject.JULIA,
    *,
    pictures: Annotated[int, Field(ge=1, le=48, description="How many: each goes one step deeper.")] = 8,
    size: Annotated[Size, Field(description="Width and height of each picture.")] = POSTCARD,
    palette: Annotated[Palette, Field(description="The colours to paint with.")] = "ocean",
    detail: Annotated[
        int, Field(ge=10, le=500, description="Steps to follow a point for: more are finer, and slower.")
    ] = 80,
) -> Series:
    """Compute a series of pictures and write them as PNG files.

    Every picture looks deeper into a fractal, or further along a plasma. They are written to the
    folder images in the data directory; a retry keeps those that are finished.
    """
    job_id, _ = this_job()
    keep_newest(output_folder("images"), KEPT_SERIES)
    folder = output_folder("images", job_id)
    colours = paint_box(palette)
    done: list[Picture] = []
    for number in range(pictures):
        file = folder / f"{number + 1:02}-{subject.value.lower()}.png"
        if not file.exists():
            write_once(file, as_png(draw(subject, size, number, detail, colours), size.width))
        done.append(Picture(file=shown(file), bytes=file.stat().st_size))
        current_job.progress(number + 1, total=pictures, message=file.name)
    return Series(subject=subject, pictures=done)


def draw(subject: Subject, size: Size, number: int, detail: int, colours: list[bytes]) -> list[bytes]:
    """Return the rows of the series' ``number``th picture (from 0), three bytes a pixel."""
    brightness = SUBJECTS[subject](number, detail)
    span = 3.0 / size.width
    rows: list[bytes] = []
    for y in range(size.height):
        current_job.check()  # a picture may take seconds: stop within a row of it when asked
        imaginary = (y - size.height / 2) * span
        points = (complex((x - size.width / 2) * span, imaginary) for x in range(size.width))
        rows.append(b"".join(colours[round(255 * brightness(point))] for point in points))
    return rows


def mandelbrot(number: int, detail: int) -> Callable[[complex], float]:
    """Return the brightness (0 to 1) of a point of the plane; each picture is nearer to one spot by 0.6."""
    zoom, target = 0.6**number, complex(-0.743643, 0.131825)
    focus = target if number else complex(-0.6, 0)

    def brightness(point: complex) -> float:
        return escape_time(0j, focus + point * zoom, detail)

    return brightness


def julia(number: int, detail: int) -> Callable[[complex], float]:
    """As ``mandelbrot``; each picture turns the constant of the set a little further."""
    constant = cmath.rect(0.7885, 2.0 + number * 0.13)

    def brightness(point: complex) -> float:
        return escape_time(point, constant, detail)

    return brightness


def plasma(number: int, detail: int) -> Callable[[complex], float]:
    """Waves that run through each other; each picture is a moment later, and ``detail`` their number."""
    moment, waves = number * 0.35, 2 + detail / 16

    def brightness(point: complex) -> float:
        x, y = point.real * waves, point.imag * waves
        height = (
            math.sin(x + moment)
            + math.sin((y + moment) / 2)
            + math.sin((x + y + moment) / 2)
            + math.sin(math.hypot(x, y) + moment)
        )
        return min(1.0, max(0.0, (height + 4) / 8))

    return brightness


SUBJECTS: dict[Subject, Callable[[int, int], Callable[[complex], float]]] = {
    Subject.MANDELBROT: mandelbrot,
    Subject.JULIA: julia,
    Subject.PLASMA: plasma,
}


def escape_time(z: complex, constant: complex, steps: int) -> float:
    """Return how soon z² + c leaves the circle of 2: 0 for never, else 0 to 1, smoothed between steps."""
    for step in range(steps):
        if z.real * z.real + z.imag * z.imag > 4.0:
            smooth = step + 1 - math.log2(max(1e-9, math.log2(abs(z))))
            return min(1.0, max(0.0, math.sqrt(max(0.0, smooth) / steps)))
        z = z * z + constant
    return 0.0


def paint_box(palette: Palette) -> list[bytes]:
    """Return 256 colours, from the darkest to the lightest, three bytes each."""
    stops = _STOPS[palette]
    colours: list[bytes] = []
    for level in range(256):
        place = level / 255 * (len(stops) - 1)
        index = min(int(place), len(stops) - 2)
        share = place - index
        colours.append(bytes(round(a + (b - a) * share) for a, b in zip(stops[index], stops[index + 1], strict=True)))
    return colours


def as_png(rows: list[bytes], width: int) -> bytes:
    """Return a PNG file of 8-bit RGB rows."""
    header = struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\x00" + row for row in rows), level=9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
