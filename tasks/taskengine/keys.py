"""Every Redis key name, once. ``lua/fragments/keys.lua`` builds the same names for the scripts.

All keys of a namespace begin with ``te:{namespace}:``; the braces keep them in
one slot of a Redis Cluster. ``tasks/README.md`` says what each key holds.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one namespace."""

    namespace: str

    @property
    def prefix(self) -> str:
        """What every key begins with."""
        return f"te:{{{self.namespace}}}:"

    def job(self, job_id: str) -> str:
        """Hash: the record of one job."""
        return f"{self.prefix}job:{job_id}"

    def attempts(self, job_id: str) -> str:
        """List: JSON of each run that ended otherwise than COMPLETED, oldest first."""
        return f"{self.prefix}attempts:{job_id}"

    def lane(self, queue: str, task: str, state: str) -> str:
        """Zset: ids of a queue's jobs of a task in a state, by creation."""
        return f"{self.prefix}lane:{queue}:{task}:{state}"

    @property
    def lanes(self) -> str:
        """Set: ``queue:task`` of every pair that has jobs."""
        return f"{self.prefix}lanes"

    @property
    def queues(self) -> str:
        """Set: names of the queues that have jobs."""
        return f"{self.prefix}queues"

    def ready(self, queue: str, task: str) -> str:
        """Zset: ids of QUEUED jobs, next to run first (priority, then arrival)."""
        return f"{self.prefix}ready:{queue}:{task}"

    def heads(self, queue: str) -> str:
        """Zset: tasks with ready jobs, by the score of their first one."""
        return f"{self.prefix}heads:{queue}"

    @property
    def waiting(self) -> str:
        """Zset: ids of SCHEDULED and RETRYING jobs by due time, ms."""
        return f"{self.prefix}waiting"

    @property
    def leases(self) -> str:
        """Zset: ids of RUNNING jobs by lease deadline, ms."""
        return f"{self.prefix}leases"

    def finished(self, state: str) -> str:
        """Zset: ids of jobs in a final state by finish time, ms."""
        return f"{self.prefix}finished:{state}"

    @property
    def events(self) -> str:
        """Stream, capped: one entry a change of a job."""
        return f"{self.prefix}events"

    def wake(self, queue: str) -> str:
        """List, capped, expiring: what an idle worker blocks on; ``wake:*`` tells of a new queue."""
        return f"{self.prefix}wake:{queue}"

    @property
    def workers(self) -> str:
        """Hash: JSON of each worker, by name."""
        return f"{self.prefix}workers"

    @property
    def heartbeats(self) -> str:
        """Zset: worker names by last heartbeat, ms."""
        return f"{self.prefix}heartbeats"

    def knows(self, worker: str) -> str:
        """Set, expiring: names of the tasks that a worker can run."""
        return f"{self.prefix}knows:{worker}"

    @property
    def catalogue(self) -> str:
        """Hash: JSON description of each task, by name."""
        return f"{self.prefix}catalogue"

    @property
    def catalogue_version(self) -> str:
        """Counter: rises when the catalogue changes."""
        return f"{self.prefix}catalogue_version"

    @property
    def clock(self) -> str:
        """String: the last instant handed out (µs), so that each is unique and they rise."""
        return f"{self.prefix}clock"
