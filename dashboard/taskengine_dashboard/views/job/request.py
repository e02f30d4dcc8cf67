"""How to fetch a job as it is shown, without the dashboard. Pure."""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from taskengine_dashboard.client import Operation


def curl(url: str, operation: Operation, variables: Mapping[str, Any]) -> str:
    """Return a command that any shell takes; the key is in ``TASKENGINE_API_KEY``, where one is asked for."""
    body = {"query": re.sub(r"\s+", " ", operation.text).strip(), "variables": variables}
    return (
        f"curl {shlex.quote(url)} \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        '  -H "Authorization: Bearer $TASKENGINE_API_KEY" \\\n'
        f"  -d {shlex.quote(json.dumps(body))}"
    )
