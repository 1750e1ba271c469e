"""A county's letters: which wordings there are, who signed them, and the PDF of each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field

from schemas.classification import Tier
from services.common.county import Contact, County, Offer, Strict, load_county
from services.common.signoffs import SignOff, SignOffs, marked, read_signoffs
from services.common.templates import Filler, Template, TemplateError, Vocabulary, load_templates
from services.common.typesetting import FORM, Sheet, TypesettingError, images, pdf, written, written_time
from services.notifier.letters.letter import AFTERWARDS, Kind, Letter, LetterError
from services.notifier.letters.words import forbidden

T = TypeVar("T")

SET = "letters"
_ONLY_IN = {
    "served_on": AFTERWARDS,
    "meeting_on": {Kind.CALL_IN},
    "meeting_at": {Kind.CALL_IN},
    "meeting_place": {Kind.CALL_IN},
}
SHIPPED = Path(__file__).parent / "templates"
VOCABULARY = Vocabulary(
    values=frozenset({"name", "agency", "served_on", "meeting_on", "meeting_at", "meeting_place"}),
    lists=frozenset({"statutes", "help", "contact"}),
    conditions=frozenset({"charged", "last_notice"}),
)


def vocabulary(kind: Kind) -> Vocabulary:
    """What a wording of this kind may name: a meeting in a call-in alone, an earlier notice's day in what sets it right."""
    never = {name for name, only in _ONLY_IN.items() if kind not in only}
    return replace(VOCABULARY, values=VOCABULARY.values - never)


class LetterData(Strict):
    """`letters.yaml`: whom to ask about a letter, and the help that every letter offers."""

    contact: Contact
    help: Annotated[tuple[Offer, ...], Field(min_length=1, max_length=6)]

    def lines(self, lang: str) -> list[str]:
        """Everything it puts on a page."""
        rows = [one.row(lang) for one in self.help]
        return [*self.contact.lines(lang), *(text for row in rows for text in row.values() if text)]


@dataclass(frozen=True, slots=True)
class Made:
    """A letter as made: keep `content` with `sha256`, and both with the notice; they are what was served."""

    content: bytes
    sha256: str
    template: str
    version: str
    template_sha256: str
    signed_off: SignOff | None
    """None: a draft."""


@dataclass(frozen=True, slots=True)
class LetterBook:
    """A county's letters, read once. What it makes depends on the letter alone: same letter, same bytes."""

    county: County
    data: LetterData
    templates: Mapping[str, Template]
    signoffs: SignOffs

    def template(self, kind: Kind, language: str) -> Template:
        """In the language, or in English where there is none. No sign-off is asked yet: see `render`."""
        return self.templates.get(f"{kind}-{language}") or self.templates[f"{kind}-en"]

    def render(self, letter: Letter) -> Made:
        """The letter as a PDF. Raises `NotSignedError`, or `LetterError` where it cannot be set."""
        template = self.template(letter.kind, letter.language)
        signed_off = self.signoffs.require(template)
        return _made(_set(self._sheet(letter, template, signed_off), pdf), template, signed_off)

    def draft(self, letter: Letter) -> Made:
        """The same, marked as a draft on every page: to be read before it is signed off. Raises `LetterError`."""
        template = self.template(letter.kind, letter.language)
        return _made(_set(self._sheet(letter, template, None), pdf), template, None)

    def look(self, letter: Letter, ppi: float = 72, *, draft: bool = False) -> list[bytes]:
        """Its pages as PNG, marked as they stand, or as a draft. Raises `LetterError`."""
        template = self.template(letter.kind, letter.language)
        sheet = self._sheet(letter, template, None if draft else self.signoffs.of(template))
        return _set(sheet, lambda one: images(one, ppi))

    def _sheet(self, letter: Letter, template: Template, signed: SignOff | None) -> Sheet:
        lang, head = template.lang, self.county.letterhead
        return Sheet(
            lang=lang,
            title=template.wording.title,
            author=head.agency,
            head=head.lines(),
            logo=self.county.logo,
            date=letter.dated,
            to=[letter.name],
            blocks=template.blocks(self._filler(letter, lang)),
            foot=f"{FORM[lang]} {template.form}",
            mark=marked(signed, lang),
        )

    def _filler(self, letter: Letter, lang: str) -> Filler:
        values = {"name": letter.name, "agency": self.county.letterhead.agency}
        if letter.served_on is not None:
            values["served_on"] = written(letter.served_on, lang)
        if (meeting := letter.meeting) is not None:
            values |= {
                "meeting_on": written(meeting.on, lang),
                "meeting_at": written_time(meeting.at),
                "meeting_place": meeting.place,
            }
        return Filler(
            values,
            {
                "statutes": {"kind": "items", "items": list(letter.statutes)} if letter.statutes else None,
                "help": {"kind": "list", "items": [one.row(lang) for one in self.data.help]},
                "contact": {"kind": "contact", "lines": self.data.contact.lines(lang)},
            },
            frozenset(
                name for name, holds in (("charged", letter.statutes), ("last_notice", letter.tier is Tier.A)) if holds
            ),
        )


def load_letters(folder: Path) -> LetterBook:
    """Read a county's letters from its folder. Raises `CountyError`: also for a word that no letter says (`words.py`)."""
    county = load_county(folder)
    book = LetterBook(
        county,
        county.data("letters.yaml", LetterData),
        load_templates(SET, {kind.value: vocabulary(kind) for kind in Kind}, SHIPPED, folder / SET),
        read_signoffs(folder),
    )
    for template in book.templates.values():
        uncharged = template.kind == Kind.D
        printed = (*template.wording.texts(), *county.letterhead.lines(), *book.data.lines(template.lang))
        if (word := forbidden(printed, template.lang, uncharged=uncharged)) is not None:
            raise TemplateError(
                f"{template.key}: it, the letterhead or letters.yaml says '{word}', which no such letter may"
            )
    return book


def _set(sheet: Sheet, make: Callable[[Sheet], T]) -> T:
    try:
        return make(sheet)
    except TypesettingError as failed:
        raise LetterError(f"letter: {failed}") from None


def _made(content: bytes, template: Template, signed_off: SignOff | None) -> Made:
    return Made(
        content, hashlib.sha256(content).hexdigest(), template.key, template.version, template.digest, signed_off
    )
