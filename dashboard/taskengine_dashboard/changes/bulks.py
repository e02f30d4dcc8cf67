"""Changes to all jobs that a filter finds: counted first, then begun, and stopped on demand."""

from collections.abc import Mapping
from typing import Any

from taskengine_dashboard.client import Operation
from taskengine_dashboard.model.bulks import BULK_ROW
from taskengine_dashboard.source import Reply, source


def _bulk(field: str) -> Operation:
    name = field[0].upper() + field[1:]
    return Operation(
        name,
        f"""
mutation {name}($input: BulkJobsInput!) {{
  {field}(input: $input) {{
    matched
    operation {{ ...BulkRow }}
    errors {{ code message path }}
  }}
}}
{BULK_ROW}""",
    )


RETRY_JOBS = _bulk("retryJobs")
CANCEL_JOBS = _bulk("cancelJobs")
DELETE_JOBS = _bulk("deleteJobs")

STOP_BULK_OPERATION = Operation(
    "StopBulkOperation",
    f"""
mutation StopBulkOperation($input: StopBulkOperationInput!) {{
  stopBulkOperation(input: $input) {{
    operation {{ ...BulkRow }}
    errors {{ code message path }}
  }}
}}
{BULK_ROW}""",
)

_BY_VERB = {"Retry": RETRY_JOBS, "Cancel": CANCEL_JOBS, "Delete": DELETE_JOBS}


def count(verb: str, filter: Mapping[str, Any]) -> Reply:
    """Count what a change would be for; the number is ``matched`` in the payload. Nothing is changed."""
    return source().send(_BY_VERB[verb], {"input": {"filter": filter, "dryRun": True}})


def begin(verb: str, filter: Mapping[str, Any]) -> Reply:
    """Retry, cancel or delete all jobs that the filter finds. Many of them are done in the background."""
    return source().send(_BY_VERB[verb], {"input": {"filter": filter, "dryRun": False}})


def stop(bulk_id: str) -> Reply:
    """Let a change go no further; what it has done stays done."""
    return source().send(STOP_BULK_OPERATION, {"input": {"id": bulk_id}})
