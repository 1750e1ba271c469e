"""No wording is used before a person has signed it off: this template, this version, these very bytes.

The county's `signoffs.yaml` is a list, one entry a signature:

    - {template: letters/c-en, version: "1", sha256: 3f2a..., by: J. Doe, role: County attorney, signed_on: 2026-01-05}

An entry with `sample: true` lets a demonstration run; what is made under it is marked as a sample on every page.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, RootModel, model_validator

from services.common.county import CountyError, Line, Strict, parse_yaml, read_bytes, read_yaml
from services.common.templates import Template

FILE = "signoffs.yaml"


class NotSignedError(CountyError):
    """A template is not signed off, or is no longer what was signed; nothing is made from it."""


class State(StrEnum):
    """How a template stands."""

    SIGNED = "signed"
    SAMPLE = "unsigned sample"
    UNSIGNED = "unsigned"
    CHANGED = "changed since it was signed"


_MARKS = {
    "en": ("DRAFT: NOT SIGNED OFF", "SAMPLE: NOT FOR USE"),
    "es": ("BORRADOR: SIN APROBAR", "MUESTRA: NO SE PUEDE USAR"),
}


class SignOff(Strict):
    """One signature."""

    template: Annotated[str, Field(pattern=r"^[a-z_]+/[a-z_-]+$")]
    version: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    by: Line
    role: Line
    signed_on: date
    sample: bool = False

    def covers(self, template: Template) -> bool:
        return (self.template, self.version, self.sha256) == (template.key, template.version, template.digest)


class SignOffs(RootModel[tuple[SignOff, ...]]):
    """All signatures of a county, as they stand in its file."""

    @model_validator(mode="before")
    @classmethod
    def _none_yet(cls, given: Any) -> Any:
        return () if given is None else given

    def of(self, template: Template) -> SignOff | None:
        """The signature that covers it, a real one before a sample's, the latest first; else None."""
        covering = [one for one in self.root if one.covers(template)]
        return max(covering, key=lambda one: (not one.sample, one.signed_on), default=None)

    def real(self) -> SignOffs:
        """Without the samples'."""
        return SignOffs(tuple(one for one in self.root if not one.sample))

    def state(self, template: Template) -> State:
        found = self.of(template)
        if found is not None:
            return State.SAMPLE if found.sample else State.SIGNED
        return State.CHANGED if any(one.template == template.key for one in self.root) else State.UNSIGNED

    def require(self, template: Template) -> SignOff:
        """The signature under which it may be used. Raises `NotSignedError`."""
        found = self.of(template)
        if found is None:
            raise NotSignedError(
                f"{template.key} version {template.version} (form {template.form}) is {self.state(template)}: read it "
                f"(ipvi letters render) and sign it (ipvi letters sign)"
            )
        return found


def marked(signed: SignOff | None, lang: str) -> str | None:
    """What is printed on every page made under this signature, or under none; None: nothing, it may be used."""
    draft, sample = _MARKS[lang]
    return draft if signed is None else sample if signed.sample else None


def read_signoffs(folder: Path) -> SignOffs:
    """The signatures in a county's folder; none without the file. Raises `CountyError`."""
    path = folder / FILE
    return read_yaml(path, SignOffs) if path.is_file() else SignOffs(())


def add_signoff(folder: Path, signed: SignOff) -> None:
    """Write one more signature at the end of the county's file, whose other lines stay as they are. Raises `CountyError`."""
    read_signoffs(folder)
    path = folder / FILE
    before = read_bytes(path).decode("utf-8") if path.is_file() else ""
    entry = signed.model_dump(mode="python", exclude_defaults=True)
    line = yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, default_flow_style=True, width=10_000)
    after = before + ("" if before.endswith("\n") or not before else "\n") + f"- {line}"
    parse_yaml(after.encode("utf-8"), SignOffs, f"{path}, with one more line starting with '- '")
    path.write_text(after, encoding="utf-8")
