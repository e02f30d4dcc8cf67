"""Requests meant to harm: each asks for much, is odd, or comes from where it should not. All are refused.

``DOCUMENTS`` are GraphQL, ``BODIES`` whole requests over HTTP. ``tests/api/test_attacks.py`` sends them, and
``benchmarks/api_attacks.py`` measures what refusing each costs.
"""

import json
from collections.abc import Mapping
from typing import Any

LONG = 900_000
"""Characters: nearly what a body may have."""
SMALL = "{ counts { queued } }"


def doubling(fragments: int) -> str:
    """Return a document of so many fragments, each of which spreads the next one twice."""
    chain = "".join(f" fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(fragments))
    return "{ ...f0 }" + chain + f" fragment f{fragments} on Query {{ counts {{ queued }} }}"


def nested(text: str, times: int, core: str, end: str) -> str:
    """Return something inside itself so many times."""
    return text * times + core + end * times


DOCUMENTS: Mapping[str, str] = {
    "deep": "{ node(id: 1) { ... on Job " + nested("{ dependsOn ", 100, "{ id }", "}") + "} }",
    "brackets": "{" * 1_900,
    "deep inline fragments": nested("{ ... on Query ", 400, SMALL, "}"),
    "deep list": "{ nodes(ids: " + nested("[", 900, '"a"', "]") + ") { id } }",
    "deep object": "{ jobs(filter: {argsContain: " + nested("{a: ", 400, "1", "}") + "}) { totalCount } }",
    "doubling": doubling(60),
    "doubling to the last token": doubling(180),
    "circle": "{ ...a } fragment a on Query { ...b ...b } fragment b on Query { ...a ...a }",
    "chain of fragments": "{ ...f0 }"
    + "".join(f" fragment f{n} on Query {{ ...f{n + 1} }}" for n in range(240))
    + " fragment f240 on Query { counts { queued } }",
    "unused fragments": SMALL + "".join(f" fragment f{n} on Query {{ counts {{ queued }} }}" for n in range(180)),
    "aliases": "{" + " ".join(f"a{n}: counts {{ queued }}" for n in range(60)) + "}",
    "aliases of introspection": "{" + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(51)) + "}",
    "directives": "{ counts { queued " + "@include(if: true) " * 60 + "} }",
    "unknown directives": "{ counts " + "@a" * 400 + " { queued } }",
    "words": "{" + "a " * 100_000 + "}",
    "fields that are not there": "{" + " ".join(f"nothing{n}" for n in range(990)) + "}",
    "long fields that are not there": "{" + " ".join("a" * 1_200 + str(n) for n in range(50)) + "}",
    "arguments that are not there": "{ counts(" + " ".join(f"a{n}: 1" for n in range(600)) + ") { queued } }",
    "input fields that are not there": "{ jobs(filter: {"
    + " ".join(f"a{n}: 1" for n in range(600))
    + "}) { totalCount } }",
    "repeated": "{" + "counts { " + "queued " * 100 + "} }",
    "repeated to the last": "{" + "counts { queued } " * 333 + "}",
    "wide": "{ jobs(first: 100) { nodes { dependsOn { dependents { dependsOn { id } } } } } }",
    "pages": "{ jobs(first: 100) { nodes { logs(first: 100) { nodes { message } } } } }",
    "variables": "query (" + " ".join(f"$v{n}: Int" for n in range(600)) + ") " + SMALL,
    "variables that are not there": "{ nodes(ids: [" + " ".join(f"$v{n}" for n in range(900)) + "]) { id } }",
    "introspection": "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }",
    "the schema over and over": "{" + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(40)) + "}",
    "long name": "{ " + "a" * 500_000 + " }",
    "a name as long as may be": "{ " + "a" * 65_000 + " }",
    "comments": "#" * LONG + "\n{ nope }",
    "lines of comments": "#\n" * 32_000 + "{ nope }",
    "commas": "," * 65_000 + "{ nope }",
    "string": '{ job(id: "' + "x" * 500_000 + '") { nope } }',
    "escapes": '{ job(id: "' + r"\u0041" * 10_000 + '") { nope } }',
    "block string": '{ job(id: """' + "\n x" * 20_000 + '""") { nope } }',
    "large number": "{ jobs(first: " + "9" * 60_000 + ") { totalCount } }",
    "large float": "{ jobs(first: 1e" + "9" * 60_000 + ") { totalCount } }",
    "operations": " ".join(f"query Q{n} {SMALL}" for n in range(200)),
    "operations to the last token": " ".join(f"query Q{n} {SMALL}" for n in range(249)),
    "operations of one name": " ".join(f"query Q {SMALL}" for _ in range(249)),
    "list": "{ nodes(ids: [" + '"a" ' * 1_800 + "]) { id } }",
    "types instead": " ".join(f"type T{n} {{ a: Int }}" for n in range(200)),
    "nothing but a fragment": "fragment a on Query { counts { queued } }",
    "bytes that are no text": "{ \x00\x01\ufeff\ud7ff counts }",
}
"""Each is refused, or answered within the limits with an error."""

PLAIN = {"Content-Type": "application/json"}


def _body(variables: str, document: str = "query ($f: JobFilter) { jobs(filter: $f) { totalCount } }") -> bytes:
    return f'{{"query": {json.dumps(document)}, "variables": {variables}}}'.encode()


def _asked(**fields: Any) -> bytes:
    return json.dumps({"query": SMALL, **fields}).encode()


NAMES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
ENQUEUE = "mutation ($i: EnqueueJobsInput!) { enqueueJobs(input: $i) { errors { code } } }"

ONE = "mutation ($i: EnqueueJobInput!) { enqueueJob(input: $i) { errors { code } } }"
TYPED = "mutation ($i: EnqueueUniversalInput!) { enqueueUniversal(input: $i) { errors { code } } }"
LISTS = "[" + ",".join(["[[]]"] * 45_000) + ", " + ",".join(["1.5"] * 150_000) + "]"
KEYS = "{" + ",".join(f'"k{n}": 1' for n in range(60_000)) + "}"

ARGUMENTS: Mapping[str, bytes] = {
    "lists": _body(f'{{"i": {{"task": "universal", "args": {{"value": {LISTS}}}}}}}', ONE),
    "keys": _body(f'{{"i": {{"task": "universal", "args": {{"value": {KEYS}}}}}}}', ONE),
    "unknown": _body(f'{{"i": {{"task": "universal", "args": {KEYS}}}}}', ONE),
    "text": _body(f'{{"i": {{"task": "universal", "args": {{"value": "{"x" * LONG}"}}}}}}', ONE),
    "typed lists": _body(f'{{"i": {{"args": {{"value": {LISTS}}}}}}}', TYPED),
    "typed keys": _body(f'{{"i": {{"args": {{"value": {KEYS}}}}}}}', TYPED),
}
"""Arguments of jobs, which may be any JSON: refused as data, for their size."""

BODIES: Mapping[str, bytes] = {
    "deep JSON": b"[" * 1_000_000,
    "deep lists": b'{"query": "{ counts { queued } }", "variables": {"a": ' + b"[" * 400_000 + b"]" * 400_000 + b"}}",
    "deep variable": _body('{"f": {"argsContain": ' + nested('{"a":', 3_000, "1", "}") + "}}"),
    "deep variable that JSON still takes": _body('{"f": {"argsContain": ' + nested('{"a":', 900, "1", "}") + "}}"),
    "list of lists": _body('{"f": {"argsContain": [' + ",".join(["[[]]"] * 45_000) + "]}}"),
    "more lists than may be": _body('{"f": {"argsContain": [' + ",".join(["[[[[]]]]"] * 100_000) + "]}}"),
    "many keys": _body('{"f": {"argsContain": {' + ",".join(f'"k{n}": 1' for n in range(60_000)) + "}}}"),
    "many keys that are not there": _body('{"f": {' + ",".join(f'"k{n}": 1' for n in range(60_000)) + "}}"),
    "variables that nobody asked for": _body("{" + ",".join(f'"v{n}": 1' for n in range(60_000)) + "}"),
    "long text": _body('{"f": {"text": "' + "x" * LONG + '"}}'),
    "many ids": _body('{"ids": [' + ",".join(['"job_a"'] * 100_000) + "]}", NAMES),
    "ids of the wrong kind": _body('{"ids": [' + ",".join(["{}"] * 200_000) + "]}", NAMES),
    "many jobs": _body('{"i": {"jobs": [' + ",".join(['{"task": "no", "args": {}}'] * 30_000) + "]}}", ENQUEUE),
    "jobs of the wrong form": _body('{"i": {"jobs": [' + ",".join(['{"tusk": 1}'] * 50_000) + "]}}", ENQUEUE),
    "large whole number": _body('{"f": {"priority": {"gte": ' + "9" * 4_000 + "}}}"),
    "many large numbers": _body('{"f": {"argsContain": [' + ",".join(["9" * 4_000] * 200) + "]}}"),
    "many floats": _body('{"f": {"argsContain": [' + ",".join(["1.5e300"] * 100_000) + "]}}"),
    "many escapes": _body('{"f": {"text": "' + r"\u00e9" * 150_000 + '"}}'),
    "half characters": _body('{"f": {"text": "' + r"\ud800" * 150_000 + '"}}'),
    "the same key": b'{"query": "{ counts { queued } }"' + b', "query": "{ nope }"' * 40_000 + b"}",
    "long operationName": _asked(operationName="q" * LONG),
    "long extensions": _asked(extensions={"persistedQuery": "x" * LONG}),
    "batch": json.dumps([{"query": SMALL}] * 20_000).encode(),
    "spaces": b" " * 1_000_000,
    "nothing": b"",
    "not UTF-8": b"\xff" * 1_000_000,
    "over the limit": b" " * 1_048_577,
}
"""Each is refused, or answered with an error; the largest have nearly the MiB that a body may have."""
