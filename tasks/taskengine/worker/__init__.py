"""The process that runs jobs: a Huey consumer on leases."""
