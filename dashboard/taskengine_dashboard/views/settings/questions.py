"""What the settings show: no more than what every page's frame asks for."""

from dataclasses import dataclass
from typing import Self

from taskengine_dashboard.client import Operation
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.fragments import FRAME
from taskengine_dashboard.model.frame import Frame
from taskengine_dashboard.model.json_values import Json
from taskengine_dashboard.source import source

SETTINGS = Operation("Settings", f"query Settings {{ ...Frame }} {FRAME}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The answer to ``SETTINGS``."""

    frame: Frame

    @classmethod
    def read(cls, data: Json) -> Self:
        return cls(frame=Frame.read(data))


def settings() -> Reading[Settings]:
    """Ask who looks, and what answers."""
    return source().read(SETTINGS, None, Settings.read)
