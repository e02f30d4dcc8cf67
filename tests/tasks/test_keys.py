"""``keys.py`` and ``lua/fragments/keys.lua`` build the same names."""

import re
from importlib.resources import files

import pytest
from redis import Redis
from redis.cluster import key_slot

from taskengine.keys import Keys

KEYS = Keys("shop")
FRAGMENT = (files("taskengine") / "lua" / "fragments" / "keys.lua").read_text(encoding="utf-8")

PLAIN = [name.removesuffix("_key") for line in re.findall(r"^local ([\w, ]+) =", FRAGMENT, re.MULTILINE)
         for name in line.split(", ") if name.endswith("_key")]  # fmt: skip
BUILT = re.findall(r"^local function (\w+)_key\(([\w, ]+)\)", FRAGMENT, re.MULTILINE)


def in_lua(redis: Redis, expression: str, *arguments: str) -> str:
    return redis.eval(f"{FRAGMENT}\nreturn {expression}", 1, KEYS.prefix, *arguments)


@pytest.mark.parametrize("name", PLAIN)
def test_a_name_is_the_same_on_both_sides(redis: Redis, name: str) -> None:
    assert in_lua(redis, f"{name}_key") == getattr(KEYS, name)


@pytest.mark.parametrize(("name", "parameters"), BUILT)
def test_a_name_that_is_built_is_the_same_on_both_sides(redis: Redis, name: str, parameters: str) -> None:
    arguments = parameters.split(", ")
    passed = ", ".join(f"ARGV[{number}]" for number in range(1, len(arguments) + 1))
    assert in_lua(redis, f"{name}_key({passed})", *arguments) == getattr(KEYS, name)(*arguments)


def test_there_are_names_to_compare() -> None:
    assert len(PLAIN) >= 5
    assert len(BUILT) >= 7


def test_scripts_name_no_key_that_python_does_not_know() -> None:
    scripts = [path for path in (files("taskengine") / "lua").iterdir() if path.name.endswith(".lua")]
    named = {name for path in scripts for name in re.findall(r'prefix \.\. "(\w+)"', path.read_text(encoding="utf-8"))}
    assert named
    assert {name for name in named if getattr(KEYS, name, None) != KEYS.prefix + name} == set()


def test_every_key_of_a_namespace_is_in_one_slot_of_a_cluster() -> None:
    names = [KEYS.job("a"), KEYS.lane("q", "t", "QUEUED"), KEYS.waiting, KEYS.events, KEYS.wake("*"), KEYS.knows("w")]
    assert len({key_slot(name.encode()) for name in names}) == 1


def test_namespaces_share_no_key() -> None:
    assert not KEYS.job("a").startswith(Keys("sho").prefix)
