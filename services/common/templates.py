"""Wording as data: what a county's lawyer reads, signs and may change. A template is text with places for named values.

    version: "1"
    title: Official notice
    blocks:
      - text: "{agency} writes to you ..."
      - fill: statutes          # a list given with the values
        when: charged           # only where this condition holds
      - items: [...]

A template can name only the values, lists and conditions of its set (`Vocabulary`): what is not in that list cannot be
printed by any wording. A value is put in once, as text; braces inside a value stay braces.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from services.common.county import LANGUAGES, CountyError, Strict, parse_yaml, read_bytes
from services.common.typesetting import layout

_PLACE = re.compile(r"\{([a-z_]+)\}")
_BRACE = re.compile(r"[{}]")
_WORDED = ("heading", "text", "stress", "say", "note")


class TemplateError(CountyError):
    """A template cannot be used. One line: which, where, what to do."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything that a set of templates may name."""

    values: frozenset[str]
    lists: frozenset[str] = frozenset()
    conditions: frozenset[str] = frozenset()


class Block(Strict):
    """One block of a page. Exactly one of its kinds is given."""

    heading: str | None = None
    text: str | None = None
    stress: str | None = None
    """Printed bold."""
    say: str | None = None
    """Words to be read aloud."""
    note: str | None = None
    """To whoever holds the page."""
    items: Annotated[list[str], Field(min_length=1)] | None = None
    blank: Annotated[list[str], Field(min_length=1)] | None = None
    """Lines to be filled in by hand."""
    fill: str | None = None
    when: str | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Block:
        if len(self.model_fields_set - {"when"}) != 1:
            raise ValueError("a block is one of heading, text, stress, say, note, items, blank, fill")
        return self

    def texts(self) -> list[str]:
        """Every text of it."""
        words = [getattr(self, kind) for kind in _WORDED if getattr(self, kind)]
        return [*words, *(self.items or ()), *(self.blank or ())]

    def filled(self, put: Filler) -> dict[str, Any] | None:
        """As the layout draws it; None where its condition does not hold or its list is empty."""
        if self.when is not None and self.when not in put.true:
            return None
        if self.fill is not None:
            return put.blocks[self.fill]
        for kind in _WORDED:
            if (text := getattr(self, kind)) is not None:
                return {"kind": kind, "text": put.text(text)}
        kind, texts = ("items", self.items) if self.items else ("blank", self.blank)
        return {"kind": kind, "items": [put.text(text) for text in texts or ()]}


class Email(Strict):
    """What is seen of a mail before it is opened: both must tell nothing to who should not read it."""

    subject: str
    opening: str


class Wording(Strict):
    """One template's text, in one language."""

    version: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)*$")]
    title: Annotated[str, Field(min_length=1)]
    blocks: Annotated[list[Block], Field(min_length=1)]
    sms: str | None = None
    email: Email | None = None

    def texts(self) -> list[str]:
        """Every text of it, in order."""
        short = [self.sms, *((self.email.subject, self.email.opening) if self.email else ())]
        return [
            self.title,
            *(text for block in self.blocks for text in block.texts()),
            *(text for text in short if text),
        ]


@dataclass(frozen=True, slots=True)
class Filler:
    """The values of one document."""

    values: Mapping[str, str]
    blocks: Mapping[str, dict[str, Any] | None]
    """For each list, the block it prints as; None where it is empty."""
    true: frozenset[str]

    def text(self, text: str) -> str:
        return _PLACE.sub(lambda place: self.values[place[1]], text)


@dataclass(frozen=True, slots=True)
class Template:
    """One wording, its version and what it hashes to. `name` is its place in its set: kind, dash, language."""

    set_name: str
    name: str
    wording: Wording
    digest: str
    """SHA-256 of the wording's file and of the layout: what was signed is what is set."""
    own: bool = False
    """The county's, in place of or beside what is shipped."""

    @property
    def key(self) -> str:
        return f"{self.set_name}/{self.name}"

    @property
    def version(self) -> str:
        return self.wording.version

    @property
    def kind(self) -> str:
        return self.name.rpartition("-")[0]

    @property
    def lang(self) -> str:
        return self.name.rpartition("-")[2]

    @property
    def form(self) -> str:
        """The start of its hash: printed at the foot, and asked of who signs it."""
        return self.digest[:10]

    def blocks(self, put: Filler) -> list[dict[str, Any]]:
        """The page's blocks with the values put in."""
        return [made for block in self.wording.blocks if (made := block.filled(put)) is not None]


def load_templates(
    set_name: str, kinds: Mapping[str, Vocabulary], shipped: Path, own: Path | None = None
) -> dict[str, Template]:
    """All templates of a set by name: each kind in each language; a file of `own` stands in for the shipped one.

    `kinds`: what each kind may name.

    Raises `TemplateError` for a file that is not a template, names what it may not, or is of no known kind or language.
    """
    names = {f"{kind}-{lang}": vocabulary for kind, vocabulary in kinds.items() for lang in LANGUAGES}
    _no_strangers(own, list(names))
    found = {}
    for name, vocabulary in names.items():
        mine = own / f"{name}.yaml" if own else None
        path = mine if mine is not None and mine.is_file() else shipped / f"{name}.yaml"
        found[name] = read_template(set_name, name, read_bytes(path), vocabulary, str(path), own=path == mine)
    return found


def read_template(
    set_name: str, name: str, content: bytes, vocabulary: Vocabulary, called: str, *, own: bool = False
) -> Template:
    """A template from its file's bytes; line ends do not count. Raises `TemplateError`."""
    content = content.replace(b"\r\n", b"\n")
    try:
        wording = parse_yaml(content, Wording, called)
    except CountyError as failed:
        raise TemplateError(str(failed)) from None
    _check(wording, vocabulary, called)
    digest = hashlib.sha256(hashlib.sha256(layout()).digest() + content).hexdigest()
    return Template(set_name, name, wording, digest, own)


def _check(wording: Wording, vocabulary: Vocabulary, called: str) -> None:
    for text in wording.texts():
        if strange := set(_PLACE.findall(text)) - vocabulary.values:
            raise TemplateError(
                f"{called}: {{{min(strange)}}} is no value of these templates: {_some(vocabulary.values)}"
            )
        if _BRACE.search(_PLACE.sub("", text)):
            raise TemplateError(f"{called}: a brace that is no {{value}}")
    for block in wording.blocks:
        if block.fill is not None and block.fill not in vocabulary.lists:
            raise TemplateError(f"{called}: fill: {block.fill} is none of {_some(vocabulary.lists)}")
        if block.when is not None and block.when not in vocabulary.conditions:
            raise TemplateError(f"{called}: when: {block.when} is none of {_some(vocabulary.conditions)}")


def _no_strangers(own: Path | None, names: Sequence[str]) -> None:
    """A file whose name is misspelt would otherwise be passed over, and the shipped wording used."""
    for path in sorted(own.iterdir()) if own is not None and own.is_dir() else ():
        if path.suffix != ".yaml" or path.stem not in names:
            raise TemplateError(f"{path}: no template of this name; known: {', '.join(names)}")


def _some(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
