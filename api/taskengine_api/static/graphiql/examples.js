// The tabs that a browser starts with. A test runs each against the schema.
window.TASKENGINE_EXAMPLES = [
  {
    query: `# What is here: jobs by state, queues, workers,
# and the tasks with the mutation that enqueues each.
query Overview {
  counts {
    scheduled
    queued
    running
    retrying
    completed
    failed
    cancelled
  }
  tasks {
    name
    enqueueField
    description
  }
  queues {
    name
    oldestWaitSeconds
    counts {
      queued
      running
    }
  }
  workers(online: true) {
    name
    concurrency
    runningJobs {
      id
    }
  }
}
`,
  },
  {
    query: `# What is failing: problems that are one are one
# group, those that failed last first. A group's
# sample shows where in your code it happens.
query Failing($first: Int = 10, $after: String) {
  counts {
    failed
    retrying
  }
  metrics(window: HOUR) {
    errorRate
    failed
    retried
  }
  failureGroups(first: $first, after: $after) {
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      id
      task {
        name
      }
      exception
      message
      location
      count
      failedCount
      firstAt
      lastAt
      sample {
        id
        attemptCount
        error {
          message
        }
      }
    }
  }
}
`,
  },
  {
    query: `# Why is it waiting? Of each job that does, the one
# thing that it waits for, and about when it starts.
query Waiting(
  $states: [JobState!] = [QUEUED, SCHEDULED, RETRYING]
  $first: Int = 20
  $after: String
) {
  jobs(
    first: $first
    after: $after
    filter: { states: $states }
    orderBy: { field: CREATED_AT, direction: ASC }
  ) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      id
      state
      priority
      task {
        name
      }
      queue {
        name
      }
      waiting {
        reason
        message
        jobsAhead
        until
        estimatedStartAt
      }
    }
  }
}
`,
  },
  {
    query: `# Live: every change of every job, from now on.
# With an \`after\`: from that cursor on.
subscription Watch($filter: JobFilter, $after: String) {
  jobEvents(filter: $filter, after: $after) {
    __typename
    cursor
    at
    job {
      id
      task {
        name
      }
    }
    ... on JobStateChanged {
      from
      to
      attempt
      message
    }
    ... on JobProgressed {
      progress {
        current
        total
        message
      }
    }
  }
}
`,
  },
  {
    query: `# Any task, by name and JSON. Each task also has
# a field of its own with typed arguments: look for
# enqueue… under Mutation in the documentation.
mutation Enqueue(
  $task: String!
  $args: JSON!
  $options: EnqueueOptions
) {
  enqueueJob(
    input: { task: $task, args: $args, options: $options }
  ) {
    job {
      id
      state
      createdAt
    }
    errors {
      code
      message
      path
    }
  }
}
`,
    variables: `{
  "task": "the name of a task",
  "args": {},
  "options": { "priority": 7, "tags": ["by hand"] }
}
`,
  },
  {
    query: `# One job, from beginning to end: each attempt,
# what it said, how it went.
query Job($id: ID!) {
  job(id: $id) {
    id
    state
    task {
      name
    }
    args
    result
    progress {
      current
      total
      message
    }
    waiting {
      message
    }
    error {
      exception
      message
    }
    attempts {
      nodes {
        number
        outcome
        workerName
        startedAt
        finishedAt
        error {
          message
        }
      }
    }
    logs(last: 50) {
      nodes {
        at
        level
        message
      }
    }
    createdAt
    startedAt
    finishedAt
    expiresAt
  }
}
`,
    variables: `{ "id": "job_…" }
`,
  },
  {
    query: `# One job: run it again, or cancel it.
# What is not possible comes back as data.
mutation Retry($id: ID!) {
  retryJob(input: { id: $id }) {
    job {
      id
      state
      maxAttempts
    }
    errors {
      code
      message
      ... on ConflictError {
        job {
          state
        }
      }
    }
  }
}

mutation Cancel($id: ID!) {
  cancelJob(input: { id: $id, terminate: true }) {
    job {
      id
      state
      cancelReason
    }
    errors {
      code
      message
    }
  }
}
`,
    variables: `{ "id": "job_…" }
`,
  },
];
