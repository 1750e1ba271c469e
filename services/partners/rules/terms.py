"""A partner's file, with its pseudonyms, as decisions need them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from schemas.classification import Change, Tier
from schemas.partner import SUBSCRIBED, PartnerDecided, PartnerEvent, PartnerKind, sendable
from schemas.partner_file import Partner
from services.partners.domain import Pseudonyms

E = TypeVar("E", bound=PartnerEvent)

OTHER_ROUTE = frozenset({PartnerKind.PROSECUTION, PartnerKind.COURT})
"""Who is told of an offender with a conflict of interest (a sworn officer or the like): his own side is not."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What one partner may be sent."""

    partner: Partner
    pseudonyms: Pseudonyms
    read_at: datetime = field(compare=False)
    """When the file was read, by the machine's clock."""

    @property
    def digest(self) -> str:
        """Of all that the file says."""
        return hashlib.sha256(self.partner.model_dump_json().encode()).hexdigest()

    def lapsed(self, now: datetime) -> bool:
        """Whether the subscription has ended, by the lane's clock."""
        return has_lapsed(self.partner, now)

    def moment(self, at: datetime) -> datetime:
        """When a copy says that it was recorded: to a researcher the day alone."""
        if self.partner.kind is not PartnerKind.RESEARCHER:
            return at
        return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    def is_told_of(self, *, conflict: bool) -> bool:
        return not conflict or self.partner.kind in OTHER_ROUTE

    def shown(self, tier: Tier | None) -> Tier | None:
        """A list as this partner is shown it. Whoever is on another than its own is on none, in every place."""
        return tier if tier in self.partner.tiers else None

    def change(self, previous: Tier | None, tier: Tier | None) -> Change:
        """What happened to the list, between two as they are shown."""
        if previous is tier:
            return Change.KEPT
        if previous is None:
            return Change.ENTERED
        if tier is None:
            return Change.REMOVED
        return Change.ESCALATED if tier.gravity > previous.gravity else Change.LOWERED

    def sealed(self, pair_id: str) -> str:
        """The hash by which a pair is known when nothing else of it may be kept."""
        return self.pseudonyms.of_kind("erased", pair_id)

    def names_incidents(self) -> bool:
        """Whether its copies hold the pseudonym of an incident."""
        asked = self.partner.subscription(PartnerDecided)
        return asked is not None and bool({"incident_id", "evidence"} & set(asked.fields))

    def whole(self, model: type[E], values: Mapping[str, Any]) -> E:
        """All that a partner of its kind may be sent, before its filter and its allow-list."""
        return model(**{name: values[name] for name in self._sendable(model)})

    def cut(self, whole: E) -> E:
        """What is on the allow-list, and may be sent to its kind."""
        model = type(whole)
        named = self._named(model)
        return model(**{name: getattr(whole, name) for name in model.model_fields if name in named})

    def still(self, copy_type: str, data: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What may be sent now of a copy that was cut before, maybe under a wider file; None: nothing. A note always may."""
        model = SUBSCRIBED.get(copy_type)
        if model is None:
            return data
        if any(data.get(name) not in (None, *self.partner.tiers) for name in ("tier", "previous_tier")):
            return None
        named = self._named(model)
        return {name: value for name, value in data.items() if name in named} or None

    def _named(self, model: type[PartnerEvent]) -> set[str]:
        asked = self.partner.subscription(model)
        return set(asked.fields if asked is not None else ()) & set(self._sendable(model))

    def _sendable(self, model: type[PartnerEvent]) -> tuple[str, ...]:
        return sendable(model, self.partner.kind, sees_d=self.partner.sees_d)

    def has_left(self, told: str | None, tier: Tier | None) -> bool:
        """Whether its filter by list would hide from the partner that he is no longer where it was told that he is."""
        asked = self.partner.subscription(PartnerDecided)
        if asked is None or "tier" not in asked.fields:
            return False
        lists = asked.where.get("tier", ())
        return told in lists and tier not in lists

    def matches(self, whole: PartnerEvent) -> bool:
        """Whether its file asks for such an event: by type, and by what may be sent of it."""
        asked = self.partner.subscription(type(whole))
        if asked is None:
            return False
        values = whole.model_dump(mode="json")
        return all(_has(values.get(name), accepted) for name, accepted in asked.where.items())


def has_lapsed(partner: Partner, now: datetime) -> bool:
    """`now`: record time, the highest seen, which never goes back."""
    return now.astimezone(UTC).date() > partner.expires


def _has(value: Any, accepted: list[str | bool]) -> bool:
    held = value if isinstance(value, list) else [value]
    return any(one == each and type(one) is type(each) for one in held for each in accepted)
