"""What always holds, whatever moves ``test_machine.py`` makes: Redis says what the model says."""

from hypothesis.stateful import invariant

from support.machine import ALIKE, ModelledMachine
from taskengine.check import check
from taskengine.failures import group_id
from taskengine.jobs import MOVES, JobState
from taskengine.metrics import MetricsWindow, read_metrics
from taskengine.reads import total_of


class CheckedMachine(ModelledMachine):
    """Looks after each step."""

    @invariant()
    def indexes_say_what_records_say(self) -> None:
        assert check(self.redis, self.keys) == []

    @invariant()
    def records_say_what_the_model_says(self) -> None:
        found = self.reads.get_jobs(list(self.models)).run(self.redis)
        for job, model in zip(found, self.models.values(), strict=True):
            assert job is not None
            assert (job.state, job.attempt_count, job.run_count) == (model.state, model.attempt, model.run)
            assert (job.max_attempts, job.worker_losses) == (model.max_attempts, model.losses)
            assert (job.priority, job.blockers) == (model.priority, len(model.waits_for))

    @invariant()
    def nothing_is_left_to_resolve(self) -> None:
        assert self.redis.exists(self.keys.resolving) == 0, "few jobs are resolved in the same script"

    @invariant()
    def checkpoints_are_of_those_that_saved_one_and_did_not_complete(self) -> None:
        kept = {key.removeprefix(self.keys.checkpoint("")) for key in self.redis.keys(self.keys.checkpoint("*"))}
        assert kept == {job_id for job_id, model in self.models.items() if model.saved}

    @invariant()
    def counts_say_what_the_model_says(self) -> None:
        counts = total_of(self.reads.count_jobs().run(self.redis))
        assert counts.total == len(self.models)
        for state in JobState:
            assert getattr(counts, state.lower()) == sum(model.state is state for model in self.models.values())

    @invariant()
    def metrics_count_what_the_model_counts(self) -> None:
        found = read_metrics(self.keys, MetricsWindow.HOUR, task=None, queue=None).run(self.redis)
        counted = self.counted
        assert found.enqueued == self.enqueued
        assert (found.completed, found.failed) == (counted[JobState.COMPLETED], counted[JobState.FAILED])
        assert (found.retried, found.cancelled) == (counted[JobState.RETRYING], counted[JobState.CANCELLED])

    @invariant()
    def groups_list_the_jobs_that_failed_alike(self) -> None:
        for task, exception in ALIKE:
            asked = self.failures.list_failed_jobs(group_id(task, exception, None), after=None, limit=1000)
            assert [job_id for job_id, _ in asked.run(self.redis)] == self.failed_alike(task, exception)

    @invariant()
    def every_change_is_an_event_and_a_legal_move(self) -> None:
        entries = self.redis.xrange(self.keys.events)
        for _, event in entries[self.seen_events :]:
            if event["kind"] == "STATE" and event["from"]:
                assert JobState(event["to"]) in MOVES[JobState(event["from"])]
        self.seen_events = len(entries)
