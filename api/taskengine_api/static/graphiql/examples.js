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
    query: `# What failed last, and why.
# The next page: after = pageInfo.endCursor.
query Failures($first: Int = 10, $after: String) {
  jobs(
    first: $first
    after: $after
    filter: { states: [FAILED, RETRYING] }
  ) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      id
      task {
        name
      }
      state
      attemptCount
      maxAttempts
      error {
        exception
        message
        traceback
      }
      attempts(last: 3) {
        nodes {
          number
          outcome
          workerName
          startedAt
          finishedAt
        }
      }
    }
  }
}
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
