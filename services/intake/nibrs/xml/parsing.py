"""One parser of XML and the trees it makes of reports; document types are refused, and nothing of what lies around is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from defusedxml.ElementTree import DefusedXMLParser

_REPORT: Final = "Report"
LARGEST: Final = 4 * 1024 * 1024
"""Bytes of one report: above any honest one."""
_DEEPEST: Final = 64


@dataclass(slots=True)
class Element:
    """An element by its local name: prefixes and versions of namespaces differ from agency to agency."""

    name: str
    line: int
    attributes: dict[str, str] = field(default_factory=dict, repr=False)
    children: list[Element] = field(default_factory=list, repr=False)
    text: str = field(default="", repr=False)

    def all(self, *path: str) -> list[Element]:
        """Every element at this path below."""
        found = [self]
        for name in path:
            found = [child for each in found for child in each.children if child.name == name]
        return found

    def first(self, *path: str) -> Element | None:
        return next(iter(self.all(*path)), None)

    def get(self, *path: str) -> str:
        """The text there; empty where there is none."""
        found = self.first(*path)
        return found.text.strip() if found else ""


class NestedError(Exception):
    """A report begins before the one before it has ended; at this index."""

    def __init__(self, index: int) -> None:
        self.index = index
        super().__init__()


class TooLargeError(Exception):
    """A report of more than `LARGEST` bytes, or too deep."""


class _Target:
    """Builds one tree for each report and nothing of what lies around."""

    def __init__(self) -> None:
        self.parser: DefusedXMLParser | None = None
        self.done: list[tuple[Element, int, int]] = []
        """Reports with the index of their first byte and of their end tag."""
        self.open_at: int | None = None
        self.open_line = 0
        self.root_at: int | None = None
        self.root_end: int | None = None
        self._stack: list[Element] = []

    def _index(self) -> int:
        assert self.parser is not None
        return int(self.parser.parser.CurrentByteIndex)

    def _seen(self) -> None:
        if self.root_at is not None and self.root_end is None:
            self.root_end = self._index()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._seen()
        if self.root_at is None:
            self.root_at = self._index()
            if _local(tag) != _REPORT:
                return
        name = _local(tag)
        if name == _REPORT:
            if self._stack:
                raise NestedError(self._index())
            self.open_at, self.open_line = self._index(), self._line()
        elif not self._stack:
            return
        if len(self._stack) >= _DEEPEST or self._index() - (self.open_at or 0) > LARGEST:
            raise TooLargeError
        element = Element(name, self._line(), {_local(key): value for key, value in attributes.items()})
        if self._stack:
            self._stack[-1].children.append(element)
        self._stack.append(element)

    def _line(self) -> int:
        assert self.parser is not None
        return int(self.parser.parser.CurrentLineNumber)

    def data(self, text: str) -> None:
        self._seen()
        if self._stack:
            self._stack[-1].text += text

    def end(self, tag: str) -> None:
        self._seen()
        if not self._stack:
            return
        element = self._stack.pop()
        if not self._stack:
            assert self.open_at is not None
            self.done.append((element, self.open_at, self._index()))
            self.open_at = None

    def close(self) -> None:
        """The parser's word at the end."""


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


class Parse:
    """One parser, from one place of the file on. Indexes and lines are of the file."""

    def __init__(self, at: int, line: int, prolog: bytes = b"") -> None:
        self.begin = at
        self.target = _Target()
        self._parser = DefusedXMLParser(target=self.target, forbid_dtd=True)
        self.target.parser = self._parser
        self._shift = at - len(prolog)
        self._lines = line - 1 - prolog.count(b"\n")
        if prolog:
            self._parser.feed(prolog)

    def feed(self, chunk: bytes) -> None:
        self._parser.feed(chunk)

    def close(self) -> None:
        self._parser.close()

    def index(self, own: int) -> int:
        return own + self._shift

    def line(self, own: int) -> int:
        return own + self._lines

    def error_at(self) -> int:
        return self.index(int(self._parser.parser.ErrorByteIndex))

    def current(self) -> int:
        return self.index(int(self._parser.parser.CurrentByteIndex))


def shift_lines(element: Element, by: int) -> None:
    waiting = [element]
    while waiting:
        each = waiting.pop()
        each.line += by
        waiting += each.children
