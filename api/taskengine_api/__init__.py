"""The GraphQL API of TaskEngine: jobs, queues, tasks and workers, to read, steer and follow live."""
