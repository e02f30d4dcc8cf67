"""TaskEngine: a job system one can ask."""
