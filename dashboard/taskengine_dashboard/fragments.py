"""Parts that the operations of several pages share: which fields a job, a count and the frame consist of.

An operation stands beside what reads its answer: in a page's ``questions.py``, or in ``changes/`` when it
changes something. ``tests/dashboard/test_operations.py`` finds each and validates it against the schema.
"""

COUNTS = "{ scheduled queued running retrying completed failed cancelled }"
"""Of a ``StateCounts``: what ``model.counts.Counts`` reads."""

FRAME = """
fragment Frame on Query {
  system { version redisVersion redisMemoryBytes redisMemoryLimitBytes persistence now }
  viewer { name role }
  workers { name online }
}
"""
"""What the frame around every page shows: what ``model.frame.Frame`` reads. Every page asks for ``...Frame``."""

JOB_ROW = """
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
"""A job in a list: what ``model.jobs.JobRow`` reads."""
