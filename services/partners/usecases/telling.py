"""What is said to a partner while a record is worked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from schemas.envelope import Classification, Event
from schemas.partner import PartnerCopy, PartnerDecided, PartnerErased, PartnerNote, PartnerTier, PartnerWithdrawn
from services.common.service import Input, Outcome, Outgoing
from services.partners.domain import Note, Offender, Pair
from services.partners.rules import Terms, View, of_tier, of_tier_shown

SOURCE = "/ipvi/partners"


@dataclass(frozen=True, slots=True)
class Draft:
    """The offender as he will be kept, and what has been said so far."""

    offender: Offender
    given: Input
    terms: Terms
    said: tuple[Outgoing, ...] = ()
    erase: tuple[str, ...] = field(default=())

    @property
    def lapsed(self) -> bool:
        """From then on nothing leaves but what is to be erased."""
        return self.terms.lapsed(self.given.now)

    def copy(self, view: View, cause: Event[Any] | None = None, at: datetime | None = None) -> Draft:
        """Send what the partner's file names of `view`, if it asks for such.

        `cause`, `at`: what it is a copy of and that one's record time, where it is not the record in hand.
        """
        asked = self.terms.partner.subscription(type(view.event))
        if self.lapsed or asked is None or not (view.corrects or self.terms.matches(view.event)):
            return self
        event = self._event(self.terms.cut(view.event), cause or self.given.event, at or self.given.at)
        mentions = view.mentions if "evidence" in event.data.model_fields_set else {}
        offender = self.offender.with_sent(event.id, view.pair_id, tuple(mentions))
        for pair_id, incident in mentions.items():
            if pair_id not in offender.pairs:  # it was decided before the partner came, and is named to it all the same
                offender = offender.with_pair(Pair(pair_id, incident, None, charged=False))
        if isinstance(view.event, PartnerDecided):
            tier = view.event.tier
            offender = replace(offender, told=str(tier) if tier is not None else None)
        if view.digest is not None and view.pair_id is not None:
            offender = offender.with_pair(replace(offender.pairs[view.pair_id], shown=view.digest))
        return replace(self, offender=offender, said=(*self.said, self._outgoing(event, view.pair_id)))

    def tell_tier(self, *parts: str) -> Draft:
        """The list he is on now, where it is another than the partner was last told. `parts`: what tells his event from others'
        of one cause. Nothing where the file asks for no list: what it was told stays known, for when it asks again.
        """
        if self.terms.partner.subscription(PartnerTier) is None:
            return replace(self, offender=replace(self.offender, behind=bool(self.offender.owed)))
        shown = of_tier(self.terms, self.offender)
        if shown == self.offender.tier_sent:
            return replace(self, offender=replace(self.offender, behind=bool(self.offender.owed)))
        if self.lapsed:
            return replace(self, offender=replace(self.offender, behind=True))
        event = self._event(
            self.terms.cut(of_tier_shown(self.terms, self.offender, shown)), self.given.event, self.given.at, *parts
        )
        pair_id = shown.get("pair_id") if shown is not None else None
        offender = self.offender.with_sent(event.id, pair_id, is_list=True)
        offender = replace(offender, tier_sent=shown, behind=bool(offender.owed))
        return replace(self, offender=offender, said=(*self.said, self._outgoing(event, pair_id)))

    def withdraw(self, pair_id: str) -> Draft:
        """What was sent of the pair no longer stands. After a lapse: owed until the subscription is renewed."""
        offender = self.offender
        if (pair := offender.pairs.get(pair_id)) is not None:
            offender = offender.with_pair(replace(pair, shown=None, charged=False))
        draft = replace(self, offender=offender)
        if not (_taken_back(PartnerWithdrawn, offender, pair_id) or offender.sent_naming(pair_id)):
            return draft
        if self.lapsed:
            owed = tuple(dict.fromkeys((*offender.owed, pair_id)))
            return replace(draft, offender=replace(offender, owed=owed, behind=True))
        return draft._note(PartnerWithdrawn, pair_id)

    def erase_pairs(self, pairs: Sequence[str], purged: Collection[str] = ()) -> Draft:
        """Take back for good what was sent of them, also after a lapse, and forget that they were there. `purged`: those that a
        later revision may bring again.
        """
        draft = self
        for pair_id in pairs:
            if draft.offender.sent_about({pair_id}) or draft.offender.sent_naming(pair_id):
                draft = draft._note(PartnerErased, pair_id)
            offender = draft.offender.without({pair_id})
            until = self.given.at if pair_id in purged else None
            offender = replace(offender, erased={**offender.erased, self.terms.sealed(pair_id): until})
            draft = replace(draft, offender=offender, erase=(*draft.erase, pair_id))
        return draft

    def _note(self, model: type[PartnerNote], pair_id: str) -> Draft:
        offender = self.offender
        about = _taken_back(model, offender, pair_id)
        naming = [one.event_id for one in offender.sent_naming(pair_id)]
        pair = offender.pairs.get(pair_id)
        named: Mapping[str, Any] = {}
        if self.terms.names_incidents() and pair is not None and pair.incident is not None:
            named = {"incident_id": pair.incident}
        event = self._event(model(events=about, mentions=naming, **named), self.given.event, self.given.at, pair_id)
        note = Note(event.id, model.TYPE, self.given.at, len(about) + len(naming))
        # Under the note's own id: what takes back must outlast what it takes back.
        out = replace(self._outgoing(event, event.id), last_word=model is PartnerErased)
        return replace(
            self, offender=replace(offender, notes={**offender.notes, event.id: note}), said=(*self.said, out)
        )

    def _event(self, data: PartnerCopy, cause: Event[Any], at: datetime, *parts: str) -> Event[Any]:
        """Nothing of the envelope says more than that we recorded it: no incident, no cause."""
        seal = self.terms.pseudonyms.of_kind
        at = self.terms.moment(at)
        return Event(
            id=seal("event", "|".join((data.TYPE, cause.source, cause.id, *parts))),
            source=SOURCE,
            subject=seal("offender", self.offender.offender_id),
            time=at,
            recordedtime=at,
            data=data,
            dataclassification=Classification.SHARED,
        )

    def _outgoing(self, event: Event[Any], about: str | None) -> Outgoing:
        """To the partner's topic, in the offender's own lane whatever its pseudonym."""
        return Outgoing(self.terms.partner.topic, event, about)

    def outcome(self, before: Offender, redact: Collection[Any] = ()) -> Outcome[Offender]:
        result = "applied" if self.said or self.offender != before else "none"
        return Outcome(self.offender, self.said, result, erase=self.erase, redact=tuple(redact))


def _taken_back(model: type[PartnerNote], offender: Offender, pair_id: str) -> list[str]:
    """Ids of what was sent about a pair. What no longer stands of a list, the next list says."""
    return [one.event_id for one in offender.sent_about({pair_id}) if model is PartnerErased or not one.is_list]
