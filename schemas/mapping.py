"""What a mapping file may say: how one agency's table (CSV, JSON rows) is read. Edited by a county, checked before use.

`mapping_file` loads one; `deploy/mappings/` has those that are shipped and the JSON Schema for editors.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from schemas.incident import Disposition, OrderChange, Ori, ProhibitedBehavior, RecordedTier
from schemas.nibrs import ForceCode, OffenseCode, RelationshipCode


class Kind(StrEnum):
    """What a row is."""

    INCIDENTS = "incidents"
    """A charge, a call, a party of a report: rows with one incident and one person are one event."""
    ROSTER = "roster"
    """A booking: the whole file is who is held at one moment."""
    ORDERS = "orders"
    """A court order, or a condition of release or probation."""
    DISPOSITIONS = "dispositions"
    """What became of a charge."""
    NOTICES = "notices"
    """A notice that was served before this system."""


PERSON = ("person", "state_id", "fbi_number", "name", "last_name", "first_name", "birth_date", "age", "sex")
"""Who he is."""
COLUMNS: dict[Kind, tuple[str, ...]] = {
    Kind.INCIDENTS: (
        *PERSON, "agency", "incident", "offender_no", "revision", "updated", "occurred", "reported", "charge",
        "statute", "degree", "charged", "disposition", "arrest", "arrest_agency", "arrested", "arrest_type", "force",
        "prohibited", "victim", "victim_no", "relationship", "child_in_common", "victim_name", "victim_birth_date",
        "victim_contact", "victim_language", "victim_substitute_address", "place", "language", "conflict_of_interest",
        "probable_cause", "offender_informed",
    ),
    Kind.ROSTER: (
        *PERSON, "agency", "booking", "booked", "facility", "hearing", "released", "status", "charge", "statute",
        "degree", "arrest", "arrest_agency", "arrest_type", "language", "counsel",
    ),
    Kind.ORDERS: (*PERSON, "agency", "order", "order_kind", "from", "until", "change", "updated"),
    Kind.DISPOSITIONS: (*PERSON, "agency", "arrest", "arrest_agency", "charge", "statute", "disposition", "disposed"),
    Kind.NOTICES: (*PERSON, "agency", "offender_id", "notice", "tier", "served"),
}  # fmt: skip
"""What a column can be, by kind."""
NEEDED: dict[Kind, tuple[tuple[str, ...], ...]] = {
    Kind.INCIDENTS: (("incident",), ("occurred",), ("charge", "statute", "prohibited")),
    Kind.ROSTER: (("booking",), ("booked",)),
    Kind.ORDERS: (("order",), ("order_kind",), ("from",)),
    Kind.DISPOSITIONS: (("arrest",), ("charge", "statute"), ("disposition",)),
    Kind.NOTICES: (("notice",), ("tier",), ("served",)),
}
"""Of each group at least one must be mapped."""


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as wrong:
        raise ValueError(f"no regular expression: {wrong.msg}") from None
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise ValueError("no such time zone; give a name such as America/New_York") from None
    return name


Pattern = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_pattern)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ChargeRule(_Part):
    """What one kind of charge or call is. The first rule of the file that fits is taken."""

    text: Pattern | None = None
    """Regular expression that must be found in the charge's or call's text; upper and lower case are the same."""
    statute: Pattern | None = None
    """Regular expression that must be found in the statute."""
    code: OffenseCode
    """NIBRS code of the offence."""
    force: list[ForceCode] = []
    """Weapon or force that the charge itself tells of: 85 where the text says strangulation."""
    prohibited: list[ProhibitedBehavior] = []
    """Breaches that the charge itself tells of: an injunction violated."""
    charged: bool | None = None
    """Whether such a row is a charge at all; not given: what the `charged` column says, else the mapping."""
    victim: bool | None = None
    """Whether there must be a person as victim; not given: for crimes against persons."""

    @model_validator(mode="after")
    def _something(self) -> ChargeRule:
        if self.text is None and self.statute is None:
            raise ValueError("give text or statute")
        return self


class Otherwise(_Part):
    """What a charge is that no rule fits."""

    code: OffenseCode = "90Z"
    charged: bool | None = None


class SnapshotLimits(_Part):
    """When a roster is no roster but a fault."""

    most_missing: Annotated[float, Field(gt=0, le=1)] = 0.25
    """Share of those held that may be missing in the next snapshot; more is a fault, and nobody counts as released."""
    always_possible: Annotated[int, Field(ge=0)] = 5
    """So many may be missing whatever the share: a small jail can empty."""


class Mapping(_Part):
    """One agency's table."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
    """Stands in the events' source; the same table under another name is another source."""
    kind: Kind
    agency: Ori
    """ORI of the agency whose table it is, where no `agency` column says."""
    time_zone: Annotated[str, AfterValidator(_zone)]
    """Of times that have none."""
    encoding: Literal["utf-8", "latin-1", "cp1252"] = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    columns: Annotated[dict[str, Annotated[str, Field(min_length=1, max_length=80)]], Field(min_length=1)]
    """What it is (`incident`, `occurred` ...) to the name of the column that holds it."""
    dates: Annotated[list[str], Field(min_length=1)] = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"]
    """Forms of dates and times (`strptime`), tried in order."""
    unknown: list[str] = ["", "UNKNOWN", "UNK", "N/A", "NULL"]
    """Values that mean: not known. Upper and lower case are the same."""
    bulk: bool = False
    """A history load: decided as ever, and no task opens until a person opens it."""
    charged: bool = False
    """Whether a row's charge counts as filed where neither a rule nor a column says."""
    charges: list[ChargeRule] = []
    otherwise: Otherwise | None = None
    """Not given: a charge that no rule fits is refused (`row_value`)."""
    relationships: dict[str, RelationshipCode] = {}
    """The agency's word for what the victim is to him, to NIBRS. NIBRS codes themselves need no entry."""
    dispositions: dict[str, Disposition] = {}
    prohibited: dict[str, list[ProhibitedBehavior]] = {}
    """Values of the `prohibited` column."""
    force: dict[str, list[ForceCode]] = {}
    arrest_types: dict[str, Literal["O", "S", "T"]] = {}
    order_kinds: dict[str, ProhibitedBehavior] = {}
    order_changes: dict[str, OrderChange] = {}
    tiers: dict[str, RecordedTier] = {}
    yes: list[str] = ["Y", "YES", "TRUE", "T", "1"]
    no: list[str] = ["N", "NO", "FALSE", "F", "0"]
    transferred: list[str] = []
    """Values of a roster's `status` for those who are on their way to another facility: they are still held."""
    snapshot: SnapshotLimits = SnapshotLimits()

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Mapping:
        for column in self.columns:
            if column not in COLUMNS[self.kind]:
                raise ValueError(f"columns.{column}: no column of {self.kind}; one of {', '.join(COLUMNS[self.kind])}")
        for group in NEEDED[self.kind]:
            if not any(each in self.columns for each in group):
                raise ValueError(f"columns: map {' or '.join(group)}")
        return self


def mapping_schema() -> dict[str, Any]:
    """JSON Schema, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Mapping.model_json_schema()}
