"""What a JSON Schema says of one value, in words for the description of a field."""

import math
from collections.abc import Mapping
from typing import Any

_LIMITS = {
    "minLength": "At least {} characters.",
    "maxLength": "At most {} characters.",
    "minItems": "At least {} items.",
    "maxItems": "At most {} items.",
    "multipleOf": "A multiple of {}.",
    "pattern": "Matches `{}`.",
}
_SHOWN_FORMATS = frozenset({"email", "uri", "path", "file-path", "directory-path", "hostname", "ipv4", "ipv6"})


def bounds_of(schema: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return the least and the greatest whole number that a schema of an integer allows."""
    lows = [math.ceil(schema["minimum"])] if "minimum" in schema else []
    lows += [math.floor(schema["exclusiveMinimum"]) + 1] if "exclusiveMinimum" in schema else []
    highs = [math.floor(schema["maximum"])] if "maximum" in schema else []
    highs += [math.ceil(schema["exclusiveMaximum"]) - 1] if "exclusiveMaximum" in schema else []
    return max(lows, default=None), min(highs, default=None)


def in_words(schema: Mapping[str, Any]) -> str:
    """Return the description and the limits of a value as sentences; empty when there is nothing to say."""
    sentences = [_sentence(str(schema["description"]).strip())] if schema.get("description") else []
    sentences += _range_of(schema)
    sentences += [words.format(schema[name]) for name, words in _LIMITS.items() if name in schema]
    if schema.get("uniqueItems"):
        sentences.append("Each item once.")
    if schema.get("format") in _SHOWN_FORMATS:
        sentences.append(f"Format: {schema['format']}.")
    if schema.get("writeOnly") or any(branch.get("writeOnly") for branch in schema.get("anyOf", ())):
        sentences.append("A secret, never shown.")
    return " ".join(sentences)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "`")) else f"{text}."


def _range_of(schema: Mapping[str, Any]) -> list[str]:
    words = {
        "minimum": "At least {}.",
        "exclusiveMinimum": "More than {}.",
        "maximum": "At most {}.",
        "exclusiveMaximum": "Less than {}.",
    }
    return [sentence.format(schema[name]) for name, sentence in words.items() if name in schema]
