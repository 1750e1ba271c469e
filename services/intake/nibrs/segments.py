"""One line as one segment: its length checked, its columns read as texts, numbers, dates and codes."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from schemas.rejects import InvalidRecord, RejectCode
from services.intake.lines import Line
from services.intake.nibrs.layout import HEADER_LENGTH, LAYOUTS, Layout

_HEAD: Final = re.compile(r"\d{4}[!-~][!-~]")
_ORI: Final = re.compile(r"[A-Z0-9]{9}")
_NUMBER: Final = re.compile(r"[!-~]{1,12} *")
YEARS: Final = range(1900, 2200)
"""Of dates that are believed; a time at the end of the calendar has no form in UTC."""
_UTF8_BOM: Final = b"\xef\xbb\xbf"

Key = tuple[str, str, str]
"""Kind (`incident`, `arrest`, `zero`), ORI, incident or arrest transaction number: what a report is known by."""
_KINDS: Final = {"0": "zero", "7": "arrest"}


class SegmentError(InvalidRecord):
    """This segment cannot be read; `line` is its place in the file."""

    def __init__(self, line: int, code: RejectCode, field: str | None = None) -> None:
        self.line = line
        super().__init__(code, field)


@dataclass(frozen=True, slots=True)
class Head:
    """What says where a line belongs, read even if the rest of the line is broken."""

    level: str
    action: str
    key: Key


def text_of(line: Line) -> str:
    """One character a byte, whatever the bytes are, so that columns stay columns."""
    return (line.raw.removeprefix(_UTF8_BOM) if line.number == 1 else line.raw).decode("latin-1")


def head_of(line: Line) -> Head | None:
    """None where level, ORI or number cannot be made out."""
    text = text_of(line)
    ori, number = text[16:25], text[25:HEADER_LENGTH]
    if len(text) < HEADER_LENGTH or not _HEAD.match(text) or not _ORI.fullmatch(ori) or not _NUMBER.fullmatch(number):
        return None
    return Head(text[4], text[5], (_KINDS.get(text[4], "incident"), ori, number.rstrip()))


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of a known level and length.

    Columns are read on demand and raise `SegmentError`, which quotes no value.
    """

    line: int
    layout: Layout
    text: str = field(repr=False)

    @property
    def action(self) -> str:
        return self.text[5]

    def raw(self, name: str) -> str:
        """The element with its blanks."""
        column = self.layout.columns[name]
        return self.text[column.first - 1 : column.last]

    def get(self, name: str) -> str:
        """The element without the blanks around it."""
        return self.every(name)[0]

    def every(self, name: str) -> list[str]:
        """All occurrences of the element, empty ones too."""
        return [self.text[first - 1 : last].strip() for first, last in self.layout.columns[name].spans()]

    def wrong(self, name: str, occurrence: int = 0) -> SegmentError:
        first, last = list(self.layout.columns[name].spans())[occurrence]
        return SegmentError(self.line, RejectCode.NIBRS_FIELD, f"{self.layout.name}.{name}@{first}-{last}")

    def whole(self, name: str, least: int, most: int) -> int:
        """A whole number, written with digits alone."""
        text = self.get(name)
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise self.wrong(name)
        return int(text)

    def day(self, name: str) -> date:
        """A date written YYYYMMDD."""
        text = self.get(name)
        try:
            if not (text.isascii() and text.isdigit() and len(text) == 8):
                raise ValueError
            found = date(int(text[:4]), int(text[4:6]), int(text[6:]))
            if found.year not in YEARS:
                raise ValueError
            return found
        except ValueError:
            raise self.wrong(name) from None

    def code(self, name: str, codes: Container[str]) -> str:
        """An element that must hold one of `codes`."""
        text = self.get(name)
        if text not in codes:
            raise self.wrong(name)
        return text

    def codes(self, name: str, codes: Container[str]) -> tuple[str, ...]:
        """A repeated element: those of its occurrences that hold something, each once, in order."""
        found: dict[str, None] = {}
        for occurrence, text in enumerate(self.every(name)):
            if text and text not in codes:
                raise self.wrong(name, occurrence)
            if text:
                found[text] = None
        return tuple(found)


def segment_of(line: Line) -> Segment:
    """Raises `SegmentError` for an unknown level, a wrong length or a line that ends before its declared length."""
    text = text_of(line)
    declared = text[:4]
    if len(text) < HEADER_LENGTH:
        raise SegmentError(line.number, RejectCode.NIBRS_TRUNCATED, "segment_length@1-4")
    if not (declared.isascii() and declared.isdigit()):
        raise SegmentError(line.number, RejectCode.NIBRS_LENGTH, "segment_length@1-4")
    layout = LAYOUTS.get(text[4])
    if layout is None:
        raise SegmentError(line.number, RejectCode.NIBRS_SEGMENT, "segment_level@5-5")
    length = int(declared)
    if length not in layout.lengths or text[length:].strip():
        raise SegmentError(line.number, RejectCode.NIBRS_LENGTH, f"{layout.name}.segment_length@1-4")
    if len(text) < length:
        raise SegmentError(line.number, RejectCode.NIBRS_TRUNCATED, f"{layout.name}.segment_length@1-4")
    segment = Segment(line.number, layout, text[:length])
    segment.code("action", layout.actions)
    for name, form in (("ori", _ORI), ("incident_number", _NUMBER)):
        if not form.fullmatch(segment.raw(name)):
            raise segment.wrong(name)
    return segment
