"""Which kinds of keys there are in a namespace, of which type they are, and which script judges each.

A kind is the first part of a key's name behind the namespace, as ``taskengine/keys.py`` builds it.
"""

SETS = frozenset({"lanes", "queues", "keyed", "parked_keys", "knows", "declares"})
SORTED = frozenset(
    {"lane", "ready", "heads", "parked", "waiting", "leases", "expiring", "finished", "failed", "schedule_jobs"}
    | {"schedules", "dependents", "bulking", "parked_jobs", "tagged", "bulks", "failures", "resolving", "heartbeats"}
)
ALONE = frozenset({"aging", "budget", "clock", "catalogue_version"})
"""One number each."""
JUDGED_BY = {
    **dict.fromkeys(("metrics", "failure"), "check_counts"),
    **dict.fromkeys(("workers", "heartbeats", "draining", "knows", "declares"), "check_workers"),
    **dict.fromkeys(("api_keys", "api_keys_used", "catalogue", "schedule"), "check_facts"),
    **dict.fromkeys(("paused", "limits", "key_limits", "revoked", *ALONE), "check_facts"),
}
"""The script that looks at what stands in a key, field by field or member by member."""
RECORD_FIELDS = {"schedule": ("definition", "enabled", "revision", "created_at")}
"""Of records with fields of their own: those that are looked at, since each has to be there."""
HASHES = frozenset(
    {"schedule", "failure", "bulk", "chord", "metrics", "workers", "draining", "api_keys", "api_keys_used"}
    | {"catalogue", "paused", "limits", "key_limits", "revoked"}
)
INDEXES = (SETS | SORTED) - JUDGED_BY.keys()
"""Kinds that ``check_entries.lua`` looks at."""
OF_A_JOB = frozenset({"attempts", "logs", "checkpoint", "dependencies"})
STANDING = OF_A_JOB | {"schedule", "failure", "bulk", "idempotency", "dependents", "parked"}
"""Kinds that ``check_keys.lua`` looks at."""
ENDING = frozenset(
    {"metrics", "failures", "failure", "chord", "rate", "full", "lock", "uses", "api_budget", "wake"}
    | {"knows", "declares", "bulk"}
)
"""Kinds that end by themselves: ``check_ends.lua`` looks whether they will."""
LEFT_ALONE = frozenset({"data", "counter", "rescoring"})
"""What an application keeps is its own; ``rescoring`` is how far a change of aging is, and whatever that says is used
up."""
TYPES = {
    **dict.fromkeys(SETS, "set"),
    **dict.fromkeys(SORTED, "zset"),
    **dict.fromkeys(HASHES, "hash"),
    **dict.fromkeys(ALONE, "string"),
}
