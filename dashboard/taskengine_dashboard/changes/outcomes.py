"""How a change went, in a sentence. Pure."""

from taskengine_dashboard import wording
from taskengine_dashboard.source import Changed

_DONE = {"Retry": "Retried", "Cancel": "Cancelled", "Delete": "Deleted"}


def told(verb: str, changed: Changed) -> tuple[str, str]:
    """Return a sentence on a change of several jobs, and the icon that goes with it."""
    sentences: list[str] = []
    if changed.done or not changed.refusals:
        sentences.append(f"{_DONE[verb]} {wording.plural(changed.done, 'job')}.")
    if changed.refusals:
        others = wording.plural(len(changed.refusals), "job")
        sentences.append(f"{others} could not be: {wording.plain(changed.refusals[0].message)}.")
    if changed.problem is not None:
        sentences.append(f"{wording.plural(changed.not_tried, 'job')} not tried: {wording.plain(str(changed.problem))}")
    fine = not changed.refusals and changed.problem is None
    return " ".join(sentences), ":material/check_circle:" if fine else ":material/warning:"
