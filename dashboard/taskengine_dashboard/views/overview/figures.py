"""The overview's figures: what each says, its course over the window, and the list that it counts."""

from collections.abc import Sequence

from taskengine_dashboard import navigation, wording
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.model.metrics import Point
from taskengine_dashboard.parts import Kpi, Window, span_of
from taskengine_dashboard.ranges import TimeRange
from taskengine_dashboard.views.overview.questions import Overview


def figures(found: Overview, window: Window) -> list[Kpi]:
    """Return the figures in the order in which one asks for them."""
    return [*_flow(found, window), *_load(found)]


def _flow(found: Overview, window: Window) -> list[Kpi]:
    """How much comes to an end, and how."""
    metrics, during = found.metrics, TimeRange.last(span_of(window))
    over = metrics.over
    return [
        Kpi(
            key="throughput",
            label="Throughput",
            value=wording.rate(metrics.per_second),
            icon=":material/speed:",
            note=f"{wording.count(metrics.completed)} completed",
            meaning="Jobs that completed or failed for good, a second. Show those that completed.",
            colour="blue",
            trend=[point.finished for point in over],
            link=navigation.link_to_jobs(JobsQuery(state="COMPLETED", finished=during)),
        ),
        Kpi(
            key="success",
            label="Success",
            value=wording.share(metrics.success_rate),
            icon=":material/check_circle:",
            note=f"of {wording.count(metrics.finished)} finished",
            meaning="How many of the jobs that came to an end completed. Show those that completed.",
            colour="green",
            trend=_success(over),
            link=navigation.link_to_jobs(JobsQuery(state="COMPLETED", finished=during)),
        ),
        Kpi(
            key="failures",
            label="Failures",
            value=wording.count(metrics.failed),
            icon=":material/error:",
            note=f"{wording.count(metrics.retried)} retried",
            meaning="Jobs that failed for good. Show them. Attempts that failed and are made again are retried.",
            colour="red" if metrics.failed else "gray",  # a red line at nothing would alarm
            trend=[point.failed for point in over],
            link=navigation.link_to_jobs(JobsQuery(state="FAILED", finished=during)),
        ),
    ]


def _load(found: Overview) -> list[Kpi]:
    """How much there is to do, and how long it takes until it is begun."""
    metrics, over = found.metrics, found.metrics.over
    return [
        Kpi(
            key="waiting",
            label="Waiting",
            value=wording.count(found.counts.of("QUEUED")),
            icon=":material/hourglass_empty:",
            note=f"{wording.count(metrics.enqueued)} enqueued",
            meaning="Jobs that are ready and wait for a worker, now. Show them. The course is of jobs enqueued.",
            trend=[point.enqueued for point in over],
            link=navigation.link_to_jobs(JobsQuery(state="QUEUED")),
        ),
        Kpi(
            key="running",
            label="Running",
            value=wording.count(found.counts.of("RUNNING")),
            icon=":material/play_circle:",
            note=f"of {wording.plural(found.slots, 'slot')}",
            meaning="Jobs that workers run now. Show them. The course is of the time that 95 % of runs did not exceed.",
            colour="blue",
            trend=[point.run_p95 or 0 for point in over],
            link=navigation.link_to_jobs(JobsQuery(state="RUNNING")),
        ),
        Kpi(
            key="wait",
            label="Wait p95",
            value=wording.seconds(metrics.wait.p95),
            icon=":material/timer:",
            note=f"oldest {wording.seconds(found.oldest_wait_seconds)}"
            if found.oldest_wait_seconds
            else "none waits now",
            meaning="What 95 % of jobs did not wait longer than, from ready to start; and how long the oldest of those "
            "that are ready has waited by now. Show those that wait.",
            colour="violet",
            trend=[point.wait_p95 or 0 for point in over],
            link=navigation.link_to_jobs(JobsQuery(state="QUEUED")),
        ),
    ]


def _success(points: Sequence[Point]) -> list[float]:
    """Return the share of successes over time; where nothing ended it stays what it was."""
    course, last = list[float](), 1.0
    for point in points:
        last = point.completed / point.finished if point.finished else last
        course.append(last)
    return course
