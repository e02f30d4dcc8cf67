"""Do the indexes say what the records say? Looks at a live namespace, and mends its indexes when told to.

``walk`` compares records with indexes, ``log`` the log of events with both;
``report`` is the command. Records are what holds: none is ever removed.
"""

from taskengine.check.walk import Checker, Difference, check

__all__ = ["Checker", "Difference", "check"]
