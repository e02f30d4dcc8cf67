"""GraphiQL from our own files: works without the Internet, and loads nothing from anyone else."""

from importlib.resources import files
from pathlib import Path

from starlette.responses import HTMLResponse, Response

FILES = Path(str(files("taskengine_api") / "static" / "graphiql"))
MOUNTED_AT = "/static/graphiql"

_SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # the editor sets sizes and colours on its elements
    "img-src": "'self' data:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
_HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _SOURCES.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page() -> Response:
    """Return the page."""
    return HTMLResponse((FILES / "index.html").read_text(encoding="utf-8"), headers=_HEADERS)
