"""Every operation that the pages send, by name: only the fields that are shown.

``tests/dashboard/test_operations.py`` validates each against ``api/schema.graphql``.
"""

from taskengine_dashboard.client import Operation

_COUNTS = "{ scheduled queued running retrying completed failed cancelled }"
_SYSTEM = "system { version redisVersion redisMemoryBytes now }"

_JOB_ROW = """
fragment JobRow on Job {
  id
  state
  task { name }
  queue { name }
  priority
  attemptCount
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  waitSeconds
  runSeconds
  progress { current total message updatedAt }
  error { exception message }
}
"""

OVERVIEW = Operation(
    "Overview",
    f"""
query Overview($failures: Int!) {{
  counts {_COUNTS}
  queues {{ name oldestWaitSeconds counts {_COUNTS} }}
  workers {{
    name hostname pid version concurrency online startedAt lastHeartbeatAt
    queues {{ name }}
    runningJobs {{ id }}
  }}
  failures: jobs(first: $failures, filter: {{ states: [FAILED] }}) {{ nodes {{ ...JobRow }} }}
  {_SYSTEM}
}}
{_JOB_ROW}""",
)

JOBS = Operation(
    "Jobs",
    f"""
query Jobs($first: Int, $after: String, $last: Int, $before: String, $filter: JobFilter) {{
  jobs(first: $first, after: $after, last: $last, before: $before, filter: $filter) {{
    totalCount
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
    nodes {{ ...JobRow }}
  }}
  counts {_COUNTS}
  queues {{ name counts {_COUNTS} }}
  tasks {{ name counts {_COUNTS} }}
  workers {{ name online }}
  {_SYSTEM}
}}
{_JOB_ROW}""",
)

JOB = Operation(
    "Job",
    f"""
query Job($id: ID!) {{
  job(id: $id) {{
    ...JobRow
    args
    result
    tags
    timeoutSeconds
    cancelReason
    worker {{ name }}
    error {{ exception message retryable traceback }}
    attempts(last: 50) {{
      nodes {{
        number
        outcome
        workerName
        startedAt
        finishedAt
        nextAttemptAt
        error {{ exception message retryable traceback }}
      }}
    }}
  }}
  {_SYSTEM}
}}
{_JOB_ROW}""",
)

TASKS = Operation(
    "Tasks",
    f"""
query Tasks {{
  tasks {{ name description argsSchema enqueueField queue {{ name }} priority maxAttempts }}
  queues {{ name }}
  workers {{ name online }}
  {_SYSTEM}
}}
""",
)

ENQUEUE_JOB = Operation(
    "EnqueueJob",
    """
mutation EnqueueJob($input: EnqueueJobInput!) {
  enqueueJob(input: $input) {
    job { id state task { name } }
    errors { code message path }
  }
}
""",
)

CANCEL_JOB = Operation(
    "CancelJob",
    """
mutation CancelJob($input: CancelJobInput!) {
  cancelJob(input: $input) {
    job { id state }
    errors { code message path }
  }
}
""",
)

RETRY_JOB = Operation(
    "RetryJob",
    """
mutation RetryJob($input: RetryJobInput!) {
  retryJob(input: $input) {
    job { id state }
    errors { code message path }
  }
}
""",
)

ALL = (OVERVIEW, JOBS, JOB, TASKS, ENQUEUE_JOB, CANCEL_JOB, RETRY_JOB)
