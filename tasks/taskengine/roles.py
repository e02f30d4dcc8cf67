"""Who may do what: three roles, each of which may also do what those before it may.

A rule that whoever serves people keeps; the engine itself asks nobody.
"""

from enum import StrEnum


class Role(StrEnum):
    """What someone may do, from the least to the most."""

    VIEWER = "VIEWER"
    """See everything but tracebacks."""
    OPERATOR = "OPERATOR"
    """Also enqueue and steer, and read tracebacks."""
    ADMIN = "ADMIN"
    """Also remove many jobs at once, set limits, and make keys."""

    def covers(self, needed: "Role") -> bool:
        """Whether who has this role may do what ``needed`` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)
