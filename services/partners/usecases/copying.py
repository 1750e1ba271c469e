"""What comes of the events that partners may be sent copies of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import orjson

from schemas.classification import OffenderDecided, TierCurrent, TierEnded
from schemas.envelope import Data, Event, from_json_line, to_json_line
from schemas.notification import Notification
from schemas.partner import PartnerNotification
from services.common.service import Input, Outcome, Redaction
from services.partners.domain import Early, Offender, Pair
from services.partners.rules import Terms, of_decision, of_notification
from services.partners.rules.views import NOTICE_STATES, stands
from services.partners.usecases.telling import Draft


def decided(offender: Offender, decision: OffenderDecided, given: Input, terms: Terms) -> Outcome[Offender]:
    """Takes back what no longer stands, then says what the partner may know of the rest.

    A decision that names a pair but no incident was caused by an expunction.
    """
    expunged = decision.pair_id if decision.incident_id is None else None
    gone = tuple(dict.fromkeys((*((expunged,) if expunged else ()), *_purged(decision))))
    draft = Draft(_learned(offender, decision, terms), given, terms)
    redact = list(_redactions(draft.offender, gone, terms))
    draft = draft.erase_pairs(gone, _purged(decision))
    for pair_id in _no_longer(offender.without(gone), decision, terms):
        draft = draft.withdraw(pair_id)
    # Seen with what it knew until now: what was told of a pair that has just been withdrawn may be named once more.
    seen = replace(draft.offender, pairs=_as_told(draft.offender, offender))
    if (view := of_decision(terms, seen, decision, given.at)) is not None:
        draft = draft.copy(view)
    return _caught_up(draft).tell_tier().outcome(offender, redact)


def _purged(decision: OffenderDecided) -> tuple[str, ...]:
    """Suspicions that went for their age: who was sent them is to purge them too (28 CFR 23.20)."""
    return tuple(decision.withdrawn_pair_ids) if decision.purged else ()


def _learned(offender: Offender, decision: OffenderDecided, terms: Terms) -> Offender:
    offender = replace(offender, conflict=decision.conflict_of_interest, decided=_list(offender, decision, terms))
    if decision.pair_id is None or decision.incident_id is None:
        return offender
    was = offender.pairs.get(decision.pair_id)
    if stands(terms, decision):
        offender = replace(offender, owed=tuple(each for each in offender.owed if each != decision.pair_id))
    sealed = terms.sealed(decision.pair_id)
    if sealed in offender.erased:
        offender = replace(offender, erased={key: at for key, at in offender.erased.items() if key != sealed})
    return offender.with_pair(
        Pair(
            decision.pair_id,
            terms.pseudonyms.of_kind("incident", decision.incident_id),
            decision.agency or (was.agency if was else None),
            charged=decision.charged and decision.incident_id in decision.evidence,
            shown=was.shown if was else None,
        )
    )


def _list(offender: Offender, decision: OffenderDecided, terms: Terms) -> str | None:
    """As `Offender.decided`. One that changes nothing which the partner may know is to it none at all."""
    if stands(terms, decision) or terms.shown(decision.previous_tier) is not terms.shown(decision.tier):
        return str(decision.tier or "none")
    return offender.decided


def _no_longer(before: Offender, decision: OffenderDecided, terms: Terms) -> Iterator[str]:
    """Pairs of which nothing holds any more: withdrawn, not charged any more, or off the ladder (`juvenile`, `mutual`)."""
    if not decision.purged:
        yield from decision.withdrawn_pair_ids
    pair = before.pairs.get(decision.pair_id or "")
    if pair is None or decision.incident_id is None or pair.pair_id in decision.withdrawn_pair_ids:
        return
    if (pair.charged or pair.shown is not None) and not stands(terms, decision):
        yield pair.pair_id


def _as_told(now: Offender, before: Offender) -> dict[str, Pair]:
    return {
        key: replace(pair, shown=before.pairs[key].shown) if key in before.pairs else pair
        for key, pair in now.pairs.items()
    }


def _redactions(offender: Offender, gone: tuple[str, ...], terms: Terms) -> Iterator[Redaction]:
    him = terms.pseudonyms.of_kind("offender", offender.offender_id)
    for pair_id in gone:
        yield Redaction((), pair_id)  # a dead letter may name it
        pair = offender.pairs.get(pair_id)
        if pair is not None and pair.incident is not None:
            yield Redaction((him,), pair.incident)


def tier_changed(offender: Offender, now: TierCurrent, given: Input, terms: Terms) -> Outcome[Offender]:
    """Said where it is another than the partner was last told, once the decision that says the same has come.

    Not one that was put there by what has been erased since: topics have no order among them.
    """
    pair_id = given.event.correlationid
    if pair_id is not None and offender.is_erased(terms.sealed(pair_id), given.at):
        return Outcome(offender, result="none")
    kept = {**orjson.loads(now.model_dump_json()), "pair_id": pair_id}
    return Draft(replace(offender, tier=kept), given, terms).tell_tier().outcome(offender)


def tier_ended(offender: Offender, _: TierEnded, given: Input, terms: Terms) -> Outcome[Offender]:
    """A tombstone: news only to whom he was on a list."""
    return Draft(replace(offender, tier=None), given, terms).tell_tier().outcome(offender)


def notified(offender: Offender, data: Notification, given: Input, terms: Terms) -> Outcome[Offender]:
    """Waits for its decision where that has not come yet; topics have no order among them. Of what has been erased nothing is
    kept, until its incident comes again.
    """
    if type(data) not in NOTICE_STATES or terms.partner.subscription(PartnerNotification) is None:
        return Outcome(offender, result="none")
    if terms.sealed(data.pair_id) in offender.erased:
        return Outcome(offender, result="none", erase=(data.pair_id,))
    early = Early(orjson.loads(to_json_line(_stamped(given))), data.pair_id)
    return _caught_up(Draft(replace(offender, early=(*offender.early, early)), given, terms)).outcome(offender)


def _stamped(given: Input) -> Event[Data]:
    """With its record time, which it is to keep while it waits."""
    return replace(given.event, recordedtime=given.at)


def _caught_up(draft: Draft) -> Draft:
    """Send, in their order, the notifications whose decision is known by now."""
    ready = [one for one in draft.offender.early if _is_ready(draft, one)]
    waiting = tuple(one for one in draft.offender.early if one not in ready)
    draft = replace(draft, offender=replace(draft.offender, early=waiting))
    for one in ready:
        event = from_json_line(orjson.dumps(one.event))
        assert isinstance(event.data, Notification), "nothing else is kept there"
        if (view := of_notification(draft.terms, draft.offender, event.data)) is not None:
            draft = draft.copy(view, event, event.recordedtime)
    return draft


def _is_ready(draft: Draft, one: Early) -> bool:
    """Whether other routes apply to him by then, and the agency, is known with the pair's own decision."""
    return one.pair_id in draft.offender.pairs


def passed_over(offender: Offender, _: Data, given: Input, terms: Terms) -> Outcome[Offender]:
    """What people did with a review, and which policy is in force: what it changes for him, a decision says."""
    return Outcome(offender, result="none")
