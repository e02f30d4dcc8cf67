"""Huey's ``crontab(...)`` as a cron rule, where there is one that means the same."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from huey import crontab

from taskengine.cron import check_cron, cron_ticks
from taskengine.crontab import cron_of

SAME: list[tuple[dict[str, Any], str]] = [
    ({}, "* * * * *"),
    ({"minute": "*/5"}, "*/5 * * * *"),
    ({"minute": 0, "hour": "9-17"}, "0 9-17 * * *"),
    ({"minute": "0,30", "hour": "*/6"}, "0,30 */6 * * *"),
    ({"minute": 15, "hour": 3, "day": "1,15"}, "15 3 1,15 * *"),
    ({"minute": 0, "hour": 0, "month": "*/3", "day": 1}, "0 0 1 */3 *"),
    ({"minute": 30, "hour": 8, "day_of_week": "1-5"}, "30 8 * * 1-5"),
    ({"minute": 0, "hour": 0, "day_of_week": 7}, "0 0 * * 0"),
    ({"minute": "50-10/5"}, "0,5,10,50,55 * * * *"),
]


@pytest.mark.parametrize(("given", "rule"), SAME)
def test_it_is_a_rule(given: dict[str, Any], rule: str) -> None:
    assert cron_of(crontab(**given)) == rule
    check_cron(rule)


@pytest.mark.parametrize("given", [given for given, _ in SAME])
def test_the_rule_ticks_in_the_minutes_in_which_hueys_holds(given: dict[str, Any]) -> None:
    holds, rule = crontab(**given), cron_of(crontab(**given))
    assert rule is not None
    begun = datetime(2026, 5, 30, tzinfo=UTC)
    minutes = [begun + timedelta(minutes=number) for number in range(1, 4 * 24 * 60)]
    expected = [round(at.timestamp() * 1000) for at in minutes if holds(at)]
    found: list[int] = []
    for tick in cron_ticks(rule, "UTC", round(begun.timestamp() * 1000)):
        if tick > minutes[-1].timestamp() * 1000:
            break
        found.append(tick)
    assert found == expected


def test_days_of_the_month_and_of_the_week_together_have_no_rule() -> None:
    assert cron_of(crontab(day=13, day_of_week=5)) is None


@pytest.mark.parametrize("rule", [lambda _: True, print, datetime.isoformat])
def test_other_functions_have_none(rule: Any) -> None:
    assert cron_of(rule) is None
