"""Tasks to try the system out with: they read real input, do real work and write real files.

``taskengine up`` runs them when no engine of your own is named, and
``taskengine demo`` enqueues them. One task a module; ``places`` says what they
may read and where they write. To write tasks of your own you need none of this:
``tasks/README.md`` shows how.
"""

from taskengine.samples import campaign, images, mail, report, sync, trial
from taskengine.samples.house import engine

__all__ = ["campaign", "engine", "images", "mail", "report", "sync", "trial"]
