"""Documents: refused unread where they are too long, parsed once, and kept with what was found out about them.

What they may ask for is not known here: see ``guard.py``.
"""

import math
import re
from collections import OrderedDict
from dataclasses import dataclass, field

from graphql import DocumentNode, FloatValueNode, GraphQLError, IntValueNode, Visitor, parse, visit

from taskengine_api.cost import Costs
from taskengine_api.errors import Code, coded
from taskengine_api.scalars import MAX_DIGITS

_LARGE_NUMBER = re.compile(r"\d[eE]\+?\d{3}|\d{300}")
"""What a document holds, maybe in a text, whose numbers have to be looked at."""


@dataclass(slots=True)
class Document:
    """One document, and what was found out about it."""

    node: DocumentNode
    problems: list[GraphQLError] | None = None
    costs: Costs | None = None


@dataclass(slots=True)
class Documents:
    """The documents that one schema has read lately.

    Bounded by the length of their texts, since that is what a caller chooses.
    """

    max_chars: int = 131_072
    _kept: OrderedDict[str, Document] = field(default_factory=OrderedDict[str, Document])
    _chars: int = 0

    def get(self, text: str) -> Document | None:
        """Return a document that was read before."""
        found = self._kept.get(text)
        if found is not None:
            self._kept.move_to_end(text)
        return found

    def keep(self, text: str, node: DocumentNode) -> Document:
        """Keep a document, and let go of those that were not asked for the longest."""
        kept = self._kept[text] = Document(node)
        self._chars += len(text)
        while self._chars > self.max_chars:
            gone, _ = self._kept.popitem(last=False)
            self._chars -= len(gone)
        return kept

    def read(self, text: str, *, max_length: int, max_tokens: int) -> DocumentNode | GraphQLError:
        """Return a document that is kept or parsed now, or what is wrong with its text."""
        found = self.get(text)
        if found is not None:
            return found.node
        length = len(text.encode(errors="replace"))
        if length > max_length:
            words = (
                f"the document has {length:,} bytes; at most {max_length:,} are allowed: give long values as variables"
            )
            return coded(words, Code.QUERY_TOO_COMPLEX)
        try:
            node = parse(text, max_tokens=max_tokens)
            if _LARGE_NUMBER.search(text):
                visit(node, _Numbers())
        except GraphQLError as problem:
            return problem
        return self.keep(text, node).node


class _Numbers(Visitor):
    """Refuses numbers that Python does not read, or only as infinity."""

    def enter_int_value(self, node: IntValueNode, *_: object) -> None:
        if len(node.value) > MAX_DIGITS:
            words = f"a number in the document has {len(node.value):,} digits; at most {MAX_DIGITS:,} are allowed"
            raise coded(words, Code.QUERY_TOO_COMPLEX)

    def enter_float_value(self, node: FloatValueNode, *_: object) -> None:
        if not math.isfinite(float(node.value)):
            raise coded(f"the number {node.value:.20} in the document is larger than numbers may be", Code.BAD_REQUEST)
