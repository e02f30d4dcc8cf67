"""Our few lines of JavaScript, as components of Streamlit: in the page itself, from our own server."""

from functools import cache
from pathlib import Path
from typing import Any

from streamlit.components.v2 import component

_SCRIPTS = Path(__file__).parent.parent / "scripts"


def script(name: str, *, key: str, data: Any = None, **callbacks: Any) -> Any:
    """Mount ``scripts/<name>.js`` with its HTML and CSS, if it has any; return its state."""
    parts = {kind: _text(name, kind) for kind in ("html", "css", "js")}
    mount: Any = component(f"taskengine-{name}", isolate_styles=False, **parts)
    return mount(key=key, data=data, **callbacks)


@cache
def _text(name: str, kind: str) -> str | None:
    path = _SCRIPTS / f"{name}.{kind}"
    return path.read_text("utf-8") if path.exists() else None
