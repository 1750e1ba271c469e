"""A file to reports, in bounded memory; what is broken costs its own report and no other.

The parser refuses document types, and with them every entity that is not XML's own (defusedxml). Where the text is not
well-formed a new parser begins at the next report's start tag, under the same root.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException

from schemas.rejects import RejectCode
from services.intake.lines import KEPT, Source
from services.intake.nibrs.xml.parsing import LARGEST, Element, NestedError, Parse, TooLargeError, shift_lines

_START: Final = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?Report[\s/>]")
_DECLARED: Final = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*\?>")
_UTF16: Final = {b"\xff\xfe": "utf-16-le", b"<\x00": "utf-16-le", b"\xfe\xff": "utf-16-be", b"\x00<": "utf-16-be"}
_STRADDLE: Final = 128


@dataclass(frozen=True, slots=True)
class Piece:
    """One report, or why it cannot be read. `raw` holds at most what a dead letter can."""

    line: int
    raw: bytes = field(repr=False)
    size: int
    report: Element | None = None
    code: RejectCode = RejectCode.XML_BROKEN


class _Cutter:
    """The bytes of the file that may still be asked for, and the parser that is at work."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._from = 0
        self._line = 1
        """Line of the first kept byte."""
        self._prolog = b""
        self._parse: Parse | None = Parse(0, 1)
        self._broken: tuple[int, RejectCode] | None = None
        """Where what cannot be read begins, while the next report is looked for."""
        self.ended = False

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        self._kept += chunk
        while chunk and not self.ended:
            if self._parse is None:
                chunk = yield from self._resumed()
                continue
            failed = self._fed(chunk)
            yield from self._whole()
            if failed is None:
                self._forget()
                return
            yield from self._stopped(*failed)
            chunk = b"-"  # go on with what is kept

    def _fed(self, chunk: bytes) -> tuple[int, RejectCode] | None:
        """None, or from where on the parser cannot read."""
        assert self._parse is not None
        parse = self._parse
        try:
            parse.feed(chunk)
        except ParseError:
            return parse.error_at(), RejectCode.XML_BROKEN
        except NestedError as nested:
            return parse.index(nested.index), RejectCode.XML_BROKEN
        except TooLargeError:
            return parse.current() + 1, RejectCode.TOO_LARGE
        except DefusedXmlException:
            return parse.current(), RejectCode.XML_FORBIDDEN
        except (ValueError, LookupError):  # an encoding that the parser does not know
            return parse.current(), RejectCode.XML_BROKEN
        open_at = parse.target.open_at
        if not self._prolog and parse.target.root_end is None and len(self._kept) > LARGEST:
            return self._from, RejectCode.XML_BROKEN
        if open_at is not None and self._from + len(self._kept) - parse.index(open_at) > LARGEST:
            return self._from + len(self._kept), RejectCode.TOO_LARGE
        return None

    def _whole(self) -> Iterator[Piece]:
        assert self._parse is not None
        parse, target = self._parse, self._parse.target
        if not self._prolog and target.root_at is not None and target.root_end is not None:
            root = self._between(parse.index(target.root_at), parse.index(target.root_end))
            declared = _DECLARED.match(self._kept)  # says the encoding to every parser after this one
            self._prolog = (bytes(declared[0]) if declared else b"") + root
        for report, start, end in target.done:
            raw = self._between(parse.index(start), parse.index(end))
            shift_lines(report, parse.line(0))
            yield Piece(report.line, raw[:KEPT], len(raw), report)
        target.done.clear()

    def _stopped(self, at: int, code: RejectCode) -> Iterator[Piece]:
        assert self._parse is not None
        parse, open_at = self._parse, self._parse.target.open_at
        start = parse.index(open_at) if open_at is not None else at
        self._parse = None
        if code is RejectCode.XML_FORBIDDEN or not self._prolog:
            # Before the first report: nothing of this file can be trusted to be what it seems.
            self.ended = True
            yield self._refused(0, self._from + len(self._kept), code)
            return
        self._broken = (start, code)
        # What stops the parser may be the next report's own start; yet every parser begins further on than the last.
        self._seek = max(at, parse.begin + 1)

    def _resumed(self) -> Generator[Piece, None, bytes]:
        """Look for the next report. Returns what the new parser is to be fed, nothing where there is none yet."""
        assert self._broken is not None
        start, code = self._broken
        found = _START.search(self._kept, max(0, self._seek - self._from))
        if found is None:
            self._seek = max(self._seek, self._from + len(self._kept) - _STRADDLE)
            self._drop(start)
            if len(self._kept) > LARGEST:  # told in parts, so that memory stays bounded
                yield self._refused(start, self._seek, code)
                self._drop(self._seek)
                self._broken = (self._seek, code)
            return b""
        at = self._from + found.start()
        yield self._refused(start, at, code)
        self._broken = None
        self._drop(at)
        self._parse = Parse(at, self._line, self._prolog)
        return bytes(self._kept)

    def finish(self) -> Iterator[Piece]:
        """At the end of the file."""
        end = self._from + len(self._kept)
        if self._broken is not None:
            yield self._refused(self._broken[0], end, self._broken[1])
        elif self._parse is not None and not self.ended:
            parse = self._parse
            try:
                parse.close()
            except (ParseError, ValueError):
                yield from self._whole()
                open_at = parse.target.open_at
                yield self._refused(parse.index(open_at) if open_at is not None else end, end, RejectCode.XML_BROKEN)
            else:
                yield from self._whole()

    def _refused(self, start: int, end: int, code: RejectCode) -> Piece:
        start = max(start, self._from)
        line = self._line + self._kept.count(b"\n", 0, start - self._from)
        return Piece(line, self._between(start, min(end, start + KEPT)), end - start, None, code)

    def _between(self, start: int, end: int) -> bytes:
        return bytes(self._kept[max(0, start - self._from) : max(0, end - self._from)])

    def _forget(self) -> None:
        """What lies before the report that is open, or before all but the last bytes."""
        assert self._parse is not None
        target = self._parse.target
        if not self._prolog:
            return  # `_fed` bounds it
        if target.open_at is not None:
            self._drop(self._parse.index(target.open_at))
        else:
            self._drop(self._from + len(self._kept) - _STRADDLE)

    def _drop(self, before: int) -> None:
        count = max(0, min(before - self._from, len(self._kept)))
        self._line += self._kept.count(b"\n", 0, count)
        del self._kept[:count]
        self._from += count


def _as_utf8(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """UTF-16 as UTF-8, undeclared, which is the default; what is broken in it stays so. Start tags are found in ASCII alone."""
    first = next(chunks, b"")
    encoding = _UTF16.get(first[:2])
    if encoding is None:
        yield first
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    start = decoder.decode(first).removeprefix("\ufeff").encode(errors="surrogatepass")
    yield _DECLARED.sub(b"", start, count=1) if _DECLARED.match(start) else start
    for chunk in chunks:
        yield decoder.decode(chunk).encode(errors="surrogatepass")


def pieces(source: Source) -> Iterator[Piece]:
    """Every report in order; of a file in UTF-16 as UTF-8. Raises `InputError` where reading breaks off."""
    cutter = _Cutter()
    for chunk in _as_utf8(source.chunks()):
        yield from cutter.feed(chunk)
        if cutter.ended:
            return
    yield from cutter.finish()
