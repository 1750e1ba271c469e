"""A county's texts for victims: which wordings there are, who signed them; as PDF, as SMS, as mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field

from schemas.outreach import TaskOwner
from services.common.county import Contact, Line, Localized, Offer, Strict, load_county
from services.common.signoffs import SignOff, SignOffs, marked, read_signoffs
from services.common.templates import Filler, Template, TemplateError, Vocabulary, load_templates
from services.common.typesetting import FORM, Sheet, TypesettingError, images, pdf
from services.victim_outreach.texts.neutral import PREVIEW, SMS_LENGTH, septets, telling
from services.victim_outreach.texts.text import Kind, TextError, VictimText

T = TypeVar("T")

SET = "texts"
SHIPPED = Path(__file__).parent / "templates"
VOCABULARY = Vocabulary(
    values=frozenset({"office", "phone", "hours"}),
    lists=frozenset({"contact", "police", "prosecutor", "compensation", "custody_notice", "resources"}),
    conditions=frozenset({"discoverable", "confidential"}),
)
DISCOVERABLE = frozenset({TaskOwner.AGENCY, TaskOwner.SYSTEM_ADVOCATE})
"""Whose records a court can order shown, and the defense can ask for."""


class Office(Strict):
    """The name that shows on a telephone or in a mailbox."""

    name: Line
    phone: Line
    hours: Localized


class Contacts(Strict):
    """Whom she can talk to, by who holds the task."""

    agency: Contact
    system_advocate: Contact
    community_advocate: Contact


class TextData(Strict):
    """`texts.yaml`."""

    office: Office
    address: Annotated[tuple[Line, ...], Field(max_length=4)] = ()
    contacts: Contacts
    police: Offer
    prosecutor: Offer
    compensation: Offer
    custody_notice: Offer
    resources: Annotated[tuple[Offer, ...], Field(min_length=1, max_length=12)]


@dataclass(frozen=True, slots=True, repr=False)
class Written:
    """A message's words. `subject` is empty for an SMS."""

    subject: str
    text: str
    template: str
    version: str
    template_sha256: str


@dataclass(frozen=True, slots=True)
class TextBook:
    """A county's texts, read once; the same text gives the same bytes. Every use asks for a sign-off."""

    data: TextData
    templates: Mapping[str, Template]
    signoffs: SignOffs

    def template(self, kind: Kind, language: str) -> Template:
        """In the language, or in English where there is none."""
        return self.templates.get(f"{kind}-{language}") or self.templates[f"{kind}-en"]

    def pdf(self, text: VictimText) -> bytes:
        """On paper. Raises `NotSignedError` or `TextError`."""
        template = self.template(text.kind, text.language)
        return _set(self._sheet(text, template, self.signoffs.require(template)), pdf)

    def draft(self, text: VictimText) -> bytes:
        """The same, marked as a draft: to be read before it is signed off. Raises `TextError`."""
        return _set(self._sheet(text, self.template(text.kind, text.language), None), pdf)

    def look(self, text: VictimText, ppi: float = 72, *, draft: bool = False) -> list[bytes]:
        """Its pages as PNG, marked as they stand, or as a draft. Raises `TextError`."""
        template = self.template(text.kind, text.language)
        sheet = self._sheet(text, template, None if draft else self.signoffs.of(template))
        return _set(sheet, lambda one: images(one, ppi))

    def sms(self, kind: Kind, language: str) -> Written:
        """At most 160 characters, and the same for every person. Raises `NotSignedError`."""
        template = self.template(kind, language)
        return self._sms(template, self.signoffs.require(template))

    def email(self, text: VictimText) -> Written:
        """Plain text: first lines that tell nothing, then the page's words. Bears no name. Raises `NotSignedError`."""
        template = self.template(text.kind, text.language)
        return self._email(template, text.owner, self.signoffs.require(template))

    def draft_messages(self, text: VictimText) -> tuple[Written, Written]:
        """SMS and mail, marked as drafts."""
        template = self.template(text.kind, text.language)
        return self._sms(template, None), self._email(template, text.owner, None)

    def _sms(self, template: Template, signed: SignOff | None) -> Written:
        words = self._filler(template.lang, TaskOwner.AGENCY).text(template.wording.sms or "")
        trial = signed is None or signed.sample
        return self._written(template, "", f"{_TRIAL[template.lang]} {words}" if trial else words)

    def _email(self, template: Template, owner: TaskOwner, signed: SignOff | None) -> Written:
        put, mail, mark = self._filler(template.lang, owner), template.wording.email, marked(signed, template.lang)
        assert mail is not None, "load_texts asks for it"
        body = [put.text(mail.opening), "", "", *_plain(template.blocks(put))]
        return self._written(template, put.text(mail.subject), "\n".join([*([mark, ""] if mark else []), *body]) + "\n")

    def _written(self, template: Template, subject: str, words: str) -> Written:
        return Written(subject, words, template.key, template.version, template.digest)

    def _sheet(self, text: VictimText, template: Template, signed: SignOff | None) -> Sheet:
        lang, office = template.lang, self.data.office
        return Sheet(
            lang=lang,
            title=template.wording.title,
            author=office.name,
            head=[office.name, *self.data.address, office.phone],
            date=text.dated,
            to=[*([text.to] if text.to else []), *text.address],
            blocks=template.blocks(self._filler(lang, text.owner)),
            foot=f"{FORM[lang]} {template.form}",
            mark=marked(signed, lang),
        )

    def _filler(self, lang: str, owner: TaskOwner) -> Filler:
        data, office = self.data, self.data.office
        contact: Contact = getattr(data.contacts, owner.value)
        offers = {name: [getattr(data, name)] for name in ("police", "prosecutor", "compensation", "custody_notice")}
        return Filler(
            {"office": office.name, "phone": office.phone, "hours": office.hours.text(lang)},
            {
                "contact": {"kind": "contact", "lines": contact.lines(lang)},
                **{name: _list(offer, lang) for name, offer in offers.items()},
                "resources": _list(data.resources, lang),
            },
            frozenset({"discoverable" if owner in DISCOVERABLE else "confidential"}),
        )


def load_texts(folder: Path) -> TextBook:
    """Read a county's texts from its folder. Raises `CountyError`: also where a message would tell what it is about."""
    book = TextBook(
        load_county(folder).data("texts.yaml", TextData),
        load_templates(SET, {kind.value: VOCABULARY for kind in Kind}, SHIPPED, folder / SET),
        read_signoffs(folder),
    )
    for template in book.templates.values():
        for wrong in _faults(book, template):
            raise TemplateError(f"{template.key}: {wrong}")
    return book


def _faults(book: TextBook, template: Template) -> Iterator[str]:
    """What would harm her in the parts that others may see."""
    put = book._filler(template.lang, TaskOwner.AGENCY)
    words, mail = template.wording.sms, template.wording.email
    if words is None or mail is None:
        yield "give both sms and email"
        return
    seen = {"sms": put.text(words), "email.subject": put.text(mail.subject), "email.opening": put.text(mail.opening)}
    for part, text in seen.items():
        if (word := telling(text)) is not None:
            yield f"{part}: '{word}' tells what it is about to whoever else sees it"
    length = septets(f"{_TRIAL[template.lang]} {seen['sms']}")
    if length is None:
        yield "sms: a character outside the GSM 7-bit alphabet, which would cut it into several messages"
    elif length > SMS_LENGTH:
        yield f"sms: {length} characters, of at most {SMS_LENGTH}"
    if len(seen["email.opening"]) < PREVIEW:
        yield f"email.opening: write at least {PREVIEW} characters, or what follows shows in the list of mails"


def _plain(blocks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The blocks as lines of plain text."""
    for block in blocks:
        match block["kind"]:
            case "heading":
                yield from ("", str(block["text"]).upper(), "")
            case "items":
                yield from (f"- {item}" for item in block["items"])
                yield ""
            case "list":
                for item in block["items"]:
                    yield f"- {item['text']}"
                    if item["more"]:
                        yield f"  {item['more']}"
                yield ""
            case "contact":
                yield from (*block["lines"], "")
            case _:
                yield from (str(block["text"]), "")


def _list(offers: Sequence[Offer], lang: str) -> dict[str, Any]:
    return {"kind": "list", "items": [one.row(lang) for one in offers]}


def _set(sheet: Sheet, make: Callable[[Sheet], T]) -> T:
    try:
        return make(sheet)
    except TypesettingError as failed:
        raise TextError(f"text: {failed}") from None


_TRIAL = {"en": "TEST", "es": "PRUEBA"}
"""Before an SMS that is a draft, or made under a sample's sign-off."""
