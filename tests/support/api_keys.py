"""Keys of the API, made past everything that would refuse them."""

from redis import Redis

from support.jobs import KEYS
from taskengine.api_keys import ApiKeys, Made
from taskengine.roles import Role

API_KEYS = ApiKeys(KEYS)
SECRET = "te_secret-of-a-test-that-nobody-else-has"


def create(redis: Redis, name: str = "ci", secret: str = SECRET, **facts: int) -> Made:
    """Make an operator's key. ``expires_ms``: when it ends."""
    return API_KEYS.create(name, Role.OPERATOR, secret, expires_ms=facts.get("expires_ms"), by="eve").run(redis)
