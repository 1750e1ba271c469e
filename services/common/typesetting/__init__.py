"""Pages from data: a sheet in, the same tagged PDF bytes out. Knows blocks of text; not what they are about.

Data reaches typst as a JSON file whose strings are printed as they stand: no value is ever markup, a path or code. The
only fonts are those inside the pinned typst package (Libertinus Serif: SIL Open Font License; New Computer Modern: GUST
Font License; DejaVu Sans Mono: Bitstream Vera's), so the machine's own fonts change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any, cast

import orjson
import typst

from services.common.errors import IpviError

STANDARDS = ("a-2a", "ua-1")
"""PDF/A-2a, to be kept for a court; PDF/UA-1, to be read by a screen reader."""
LAYOUT = "page.typ"
FORM = {"en": "Form", "es": "Formulario"}
"""What the number at the foot is called."""


class TypesettingError(IpviError):
    """A page could not be set. The text says what to mend and quotes nothing of the page."""


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture in the letterhead. `suffix` is `.svg`, `.png` or `.jpg`; `words` is what a screen reader says for it."""

    content: bytes
    suffix: str
    words: str


@dataclass(frozen=True, slots=True, repr=False)
class Sheet:
    """One document: who writes, to whom, and blocks in reading order.

    A block is a mapping with `kind` and what that kind needs (`page.typ` draws each): `heading`, `text`, `stress`, `say`
    and `note` have `text`; `items` and `blank` have `items`, a list of texts; `list` has `items` of `text` and `more`;
    `contact` has `lines`; `table` has `head` and `rows`. `date` is also the PDF's creation date, at midnight UTC.
    """

    lang: str
    title: str
    author: str
    head: Sequence[str]
    date: date
    blocks: Sequence[Mapping[str, Any]]
    foot: str
    to: Sequence[str] = ()
    mark: str | None = None
    """Printed on top of every page, where the document is not to be used."""
    logo: Logo | None = None


@cache
def layout() -> bytes:
    """The one layout of every document."""
    return (_HERE / LAYOUT).read_bytes()


def pdf(sheet: Sheet) -> bytes:
    """Tagged PDF with title and language; equal sheets give equal bytes. Raises `TypesettingError`."""
    made = _compile(sheet, format="pdf", pdf_standards=list(STANDARDS), timestamp=_midnight(sheet.date))
    return made if isinstance(made, bytes) else made[0]


def images(sheet: Sheet, ppi: float = 72) -> list[bytes]:
    """The same pages as PNG, to be looked at. Raises `TypesettingError`."""
    made = _compile(sheet, format="png", ppi=ppi)
    return [made] if isinstance(made, bytes) else made


def written(day: date, lang: str) -> str:
    """A date as a letter has it. Languages without words of their own here: ISO 8601."""
    if lang == "en":
        return f"{_ENGLISH[day.month - 1]} {day.day}, {day.year}"
    if lang == "es":
        return f"{day.day} de {_SPANISH[day.month - 1]} de {day.year}"
    return day.isoformat()


def written_time(moment: time) -> str:
    """A time of day, as on a 12-hour clock, in either language."""
    return f"{moment.hour % 12 or 12}:{moment.minute:02d} {'a.m.' if moment.hour < 12 else 'p.m.'}"


def _compile(sheet: Sheet, **options: Any) -> bytes | list[bytes]:
    files = {"main.typ": layout(), "sheet.json": orjson.dumps(_content(sheet))}
    try:
        made: bytes | list[bytes] = cast(Any, typst.compile)(  # it takes a mapping of files; its stub does not say so
            files,
            root=_HERE,
            font_paths=_fonts(),
            ignore_system_fonts=True,
            package_path=_HERE,
            package_cache_path=_HERE,
            **options,
        )
    except BaseException as failed:
        if (
            not isinstance(failed, RuntimeError) and type(failed).__name__ != "PanicException"
        ):  # Rust's, which is no Exception
            raise
        # Its message quotes the text it failed on, which may be a name: none of it goes on.
        raise TypesettingError(_mend(str(failed))) from None
    return made


def _content(sheet: Sheet) -> dict[str, Any]:
    content: dict[str, Any] = _breakable(asdict(replace(sheet, logo=None)))
    content["date"] = written(sheet.date, sheet.lang)
    if sheet.logo is not None:  # as numbers: the package takes files of text alone
        content["logo"] = {
            "bytes": list(sheet.logo.content),
            "format": sheet.logo.suffix[1:],
            "words": sheet.logo.words,
        }
    content["pages"] = _PAGES.get(sheet.lang, _PAGES["en"])
    return content


def _breakable(value: Any) -> Any:
    """Every text with a place to break in words that are wider than the page."""
    if isinstance(value, str):
        return _LONG_WORD.sub(lambda part: f"{part[0]}\u200b", value)
    if isinstance(value, dict):
        return {key: _breakable(each) for key, each in value.items()}
    return [_breakable(each) for each in value] if isinstance(value, list | tuple) else value


def _mend(message: str) -> str:
    if "could not be displayed" in message:
        return "a character is in none of the fonts: write the name, or the county's own words, in Latin letters"
    if "logo" in message or "image" in message:
        return "the logo cannot be read: give it as SVG, PNG or JPEG"
    return "the layout cannot set this page"


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


_LONG_WORD = re.compile(r"\S{40}(?=\S)")
_HERE = Path(__file__).parent
"""The only folder a layout could read from: it holds nothing but itself."""
_PAGES = {"en": ("Page", "of"), "es": ("Página", "de")}
_ENGLISH = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December")  # fmt: skip
_SPANISH = ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
            "noviembre", "diciembre")  # fmt: skip
