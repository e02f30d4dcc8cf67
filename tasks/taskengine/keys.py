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

    def logs(self, job_id: str) -> str:
        """Stream, capped: what a job's runs said, oldest first."""
        return f"{self.prefix}logs:{job_id}"

    def checkpoint(self, job_id: str) -> str:
        """String: JSON of where a job's last run was, for the next to go on from."""
        return f"{self.prefix}checkpoint:{job_id}"

    def dependencies(self, job_id: str) -> str:
        """List: ids of the jobs that a job depends on."""
        return f"{self.prefix}dependencies:{job_id}"

    def dependents(self, job_id: str) -> str:
        """Zset: ids of the jobs that wait for a job, by creation."""
        return f"{self.prefix}dependents:{job_id}"

    @property
    def resolving(self) -> str:
        """Zset: what follows from ends of jobs and is still to be done, ``STATE:id`` and ``LINK:id``, oldest first."""
        return f"{self.prefix}resolving"

    @property
    def expiring(self) -> str:
        """Zset: ids of jobs that have not started, by the time by which they must, ms."""
        return f"{self.prefix}expiring"

    def idempotency(self, task: str, key: str) -> str:
        """String: id of the job that a task's idempotency key stands for; goes with that job."""
        return f"{self.prefix}idempotency:{task}:{key}"

    @property
    def paused(self) -> str:
        """Hash: JSON of who paused what, when and why, by ``queue:<name>`` and ``task:<name>``."""
        return f"{self.prefix}paused"

    @property
    def limits(self) -> str:
        """Hash: JSON of the limits, by ``queue:<name>`` and ``task:<name>``."""
        return f"{self.prefix}limits"

    @property
    def aging(self) -> str:
        """String: how long a job waits to be lifted by one priority step, µs; absent for never."""
        return f"{self.prefix}aging"

    @property
    def rescoring(self) -> str:
        """Zset: ``queue:task`` whose ready jobs still have places from before a change of aging; how far it is."""
        return f"{self.prefix}rescoring"

    @property
    def key_limits(self) -> str:
        """Hash: how many jobs of a task may run at once for each concurrency key, as its code says."""
        return f"{self.prefix}key_limits"

    def keyed(self, task: str, key: str) -> str:
        """Set: ids of a task's RUNNING jobs with a concurrency key."""
        return f"{self.prefix}keyed:{task}:{key}"

    def parked(self, task: str, key: str) -> str:
        """Zset: ids of QUEUED jobs that wait for their concurrency key, at their place in ``ready``."""
        return f"{self.prefix}parked:{task}:{key}"

    def parked_keys(self, task: str) -> str:
        """Set: a task's concurrency keys that jobs are parked for."""
        return f"{self.prefix}parked_keys:{task}"

    def parked_jobs(self, queue: str, task: str) -> str:
        """Zset: ids of all QUEUED jobs that are parked, at their place in ``ready``."""
        return f"{self.prefix}parked_jobs:{queue}:{task}"

    def rate(self, kind: str, name: str) -> str:
        """Hash, expiring: the token bucket of a queue or task."""
        return f"{self.prefix}rate:{kind}:{name}"

    @property
    def budget(self) -> str:
        """String: how many bytes Redis may use before nothing more is taken in."""
        return f"{self.prefix}budget"

    @property
    def full(self) -> str:
        """String, expiring: why nothing more is taken in, as of the last look at the memory; empty for room."""
        return f"{self.prefix}full"

    def data(self, name: str) -> str:
        """String: what an application keeps by ``engine.put``, until it deletes it or its time to live ends."""
        return f"{self.prefix}data:{name}"

    def counter(self, name: str) -> str:
        """Counter of an application's own, until it deletes it."""
        return f"{self.prefix}counter:{name}"

    def lock(self, name: str) -> str:
        """String, expiring: who holds a lock."""
        return f"{self.prefix}lock:{name}"

    def uses(self, name: str) -> str:
        """Counter, expiring: uses in the present stretch of a rate limit."""
        return f"{self.prefix}uses:{name}"

    def chord(self, chord_id: str) -> str:
        """Hash, expiring: what members of a chord have reported, and the call that follows the last."""
        return f"{self.prefix}chord:{chord_id}"

    @property
    def revoked(self) -> str:
        """Hash: for how long a task is revoked, by its name: ms, ``once`` or ``always``; a call, by ``id:ID``: ms."""
        return f"{self.prefix}revoked"

    def bulk(self, bulk_id: str) -> str:
        """Hash, expiring after its end: a change to many jobs."""
        return f"{self.prefix}bulk:{bulk_id}"

    @property
    def bulks(self) -> str:
        """Zset, capped: ids of the changes to many jobs, by creation, ms."""
        return f"{self.prefix}bulks"

    @property
    def bulking(self) -> str:
        """Zset: ids of those that are under way, by creation, ms."""
        return f"{self.prefix}bulking"

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

    def tagged(self, tag: str) -> str:
        """Zset: ids of the jobs with a tag, by creation; each goes with its job."""
        return f"{self.prefix}tagged:{tag}"

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
    def draining(self) -> str:
        """Hash: who asked a worker to drain, by its name; ``""`` when nobody said."""
        return f"{self.prefix}draining"

    @property
    def heartbeats(self) -> str:
        """Zset: worker names by last heartbeat, ms."""
        return f"{self.prefix}heartbeats"

    def knows(self, worker: str) -> str:
        """Set, expiring: names of the tasks that a worker can run."""
        return f"{self.prefix}knows:{worker}"

    def declares(self, worker: str) -> str:
        """Set, expiring: names of the schedules that a worker's code declares."""
        return f"{self.prefix}declares:{worker}"

    @property
    def schedules(self) -> str:
        """Zset: names of the schedules by their next tick, ms; ``inf`` for those that have none."""
        return f"{self.prefix}schedules"

    def schedule(self, name: str) -> str:
        """Hash: the record of one schedule."""
        return f"{self.prefix}schedule:{name}"

    def schedule_jobs(self, name: str) -> str:
        """Zset: ids of a schedule's jobs, by creation; each goes with its job."""
        return f"{self.prefix}schedule_jobs:{name}"

    def metrics(self, seconds: int | str, start: int | str) -> str:
        """Hash, expiring: a closed slot, ``seconds`` from ``start`` (s); JSON by ``queue:task``, ``*`` for any."""
        return f"{self.prefix}metrics:{seconds}:{start}"

    def metrics_open(self, seconds: int | str, start: int | str) -> str:
        """Hash, expiring: a slot that still counts, by ``queue:task:what``."""
        return f"{self.prefix}metrics:open:{seconds}:{start}"

    @property
    def metrics_slots(self) -> str:
        """Hash, expiring: the start of the open slot, by its seconds."""
        return f"{self.prefix}metrics:slots"

    @property
    def metrics_totals(self) -> str:
        """Hash, capped, expiring: all that was ever counted, by ``queue:task:what``."""
        return f"{self.prefix}metrics:totals"

    @property
    def failures(self) -> str:
        """Zset, capped, expiring: groups of failures by their last one, µs."""
        return f"{self.prefix}failures"

    def failure(self, group: str) -> str:
        """Hash, expiring: what one reads of a group of failures."""
        return f"{self.prefix}failure:{group}"

    def failed(self, group: str) -> str:
        """Zset: ids of the FAILED jobs of a group of failures, by creation."""
        return f"{self.prefix}failed:{group}"

    @property
    def audit(self) -> str:
        """Stream, capped: what operators did."""
        return f"{self.prefix}audit"

    @property
    def api_keys(self) -> str:
        """Hash: JSON of each key of the API, by the SHA-256 of its secret."""
        return f"{self.prefix}api_keys"

    @property
    def api_keys_used(self) -> str:
        """Hash: when a key of the API was last used, ms, by the same."""
        return f"{self.prefix}api_keys_used"

    def api_budget(self, caller: str) -> str:
        """Hash, expiring: what a caller of the API may still spend."""
        return f"{self.prefix}api_budget:{caller}"

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
