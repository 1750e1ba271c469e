"""Letters to try: one a template, of an invented person; and what a PDF says of itself."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

import pypdf

from schemas.classification import Tier
from schemas.outreach import TaskOwner
from services.notifier.letters import Kind, Letter, Meeting
from services.victim_outreach.texts import Kind as TextKind
from services.victim_outreach.texts import VictimText

SAMPLE_COUNTY = Path(__file__).parents[2] / "policies" / "sample-county"
CHARGED = ("N.C.G.S. 14-33(c)(2)", "N.C.G.S. 14-277.1")


def sample_letter(kind: Kind, language: str = "en", **more: Any) -> Letter:
    """The letter a template's picture is made from."""
    tier = {Kind.A: Tier.A, Kind.B: Tier.B, Kind.D: Tier.D, Kind.CALL_IN: Tier.B}.get(kind, Tier.C)
    told = kind in (Kind.A, Kind.B, Kind.C, Kind.CUSTODY_VISIT)
    fields: dict[str, Any] = {
        "kind": kind,
        "tier": tier,
        "language": language,
        "name": "Invented Person 11",
        "dated": date(2026, 3, 9),
        "statutes": CHARGED if told else (),
        "meeting": Meeting(on=date(2026, 4, 9), at=time(18, 30), place="Sampleton City Hall, 1 Courthouse Square"),
        "served_on": date(2026, 2, 3),
    }
    if kind is not Kind.CALL_IN:
        del fields["meeting"]
    if kind is not Kind.CORRECTION:
        del fields["served_on"]
    return Letter.of(**(fields | more))


def sample_text(kind: TextKind, language: str = "en", **more: Any) -> VictimText:
    """The text for a victim that a template's picture is made from."""
    fields: dict[str, Any] = {
        "kind": kind,
        "owner": TaskOwner.SYSTEM_ADVOCATE,
        "dated": date(2026, 3, 9),
        "language": language,
        "to": "Invented Person 12",
        "address": ("P.O. Box 7", "Raleigh, NC 00000"),
    }
    return VictimText.of(**(fields | more))


@dataclass(frozen=True)
class Read:
    """A PDF as a reader's program, or a screen reader, has it."""

    reader: pypdf.PdfReader

    @classmethod
    def of(cls, content: bytes) -> Read:
        return cls(pypdf.PdfReader(io.BytesIO(content), strict=True))

    @property
    def root(self) -> Any:
        """The document's catalogue."""
        return self.reader.trailer["/Root"].get_object()

    @property
    def metadata(self) -> dict[str, str]:
        return {key: str(value) for key, value in (self.reader.metadata or {}).items()}

    @property
    def text(self) -> str:
        return "\n".join(page.extract_text() for page in self.reader.pages)

    @property
    def solid(self) -> str:
        """The text without its white space: where lines broke does not matter."""
        return "".join(self.text.split())

    def tags(self) -> list[str]:
        """Kinds of the structure tree's elements, in reading order."""
        return list(_tags(self.root["/StructTreeRoot"].get_object()))


def _tags(node: Any) -> Iterator[str]:
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for one in node:
            yield from _tags(one)
    elif isinstance(node, dict):
        if "/S" in node:
            yield str(node["/S"])
        if "/K" in node:
            yield from _tags(node["/K"])


SHIPPED = {
    "letters": Path(__file__).parents[2] / "services/notifier/letters/templates",
    "texts": Path(__file__).parents[2] / "services/victim_outreach/texts/templates",
}


def county_copy(to: Path) -> Path:
    """The sample county's folder, to be changed."""
    folder = to / "county"
    shutil.copytree(SAMPLE_COUNTY, folder)
    return folder


def shipped_wording(key: str) -> str:
    """A template's file as shipped; `key` as `letters/c-en`."""
    set_name, name = key.split("/")
    return (SHIPPED[set_name] / f"{name}.yaml").read_text("utf-8")


def own_wording(county: Path, key: str, text: str) -> None:
    """Put a wording of the county's own in its folder."""
    path = county / f"{key}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8", newline="")
