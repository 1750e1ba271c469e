"""The one that takes: one event of another's history after the other. Where that has gone on from here, so do they."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import orjson

from schemas.commands import Adopt
from schemas.envelope import Data, Event, from_json_line
from schemas.incident import (
    IncidentReported,
    IncidentRetracted,
    OffenderMerged,
    OffenderSplit,
)
from services.classifier.domain import Offender, history
from services.classifier.terms import Terms
from services.classifier.usecases.expunging import kept_out
from services.classifier.usecases.histories import fold, named
from services.classifier.usecases.identity.giving import (
    Handed,
    copied,
    gone_to,
    is_split_off,
    merged,
    sent_after,
    split,
)
from services.classifier.usecases.settling import settled
from services.common.service import Input, Outcome, Refused


def adopted(state: Offender, event: Event[Adopt], given: Input, terms: Terms) -> Outcome[Offender]:
    """One event of another's history. Where that has gone on from here, the event goes on too."""
    data = event.data
    inner = from_json_line(orjson.dumps(data.original))
    draft = _reopened(state, data, inner, terms)
    if not _is_marker(data, inner):
        if isinstance(inner.data, OffenderMerged):
            return merged(draft, cast(Event[OffenderMerged], inner), given, terms)
        if isinstance(inner.data, OffenderSplit):
            return split(draft, cast(Event[OffenderSplit], inner), given, terms)
    if draft is state and (outcome := kept_out(state, inner, given, terms)) is not None and not data.remaining:
        return outcome
    copies = tuple(copied(draft, inner, given, terms, tuple(data.via)))
    if (move := gone_to(draft, inner.data, terms)) is not None:
        handed = Handed(
            inner,
            data.remaining,
            frozenset(data.sealed),
            data.opened_through,
            tuple(data.others),
            tuple(data.via),
            frozenset(data.known_as),
            by_split=data.by_split,
        )
        return sent_after(draft, replace(move, handover_id=data.handover_id), handed, given, terms, *copies)
    if draft.alias is not None:  # expunged here: it stays out, and the ends of its hand-over have gone on or will
        return kept_out(draft, inner, given, terms) or Outcome(draft, result="none")
    pending = draft.pending
    if not data.by_split:
        pending = pending | {data.handover_id} if data.remaining else pending - {data.handover_id}
    absorbed = draft.absorbed.union(data.via, data.known_as) - {draft.offender_id}
    if (pending, absorbed) != (draft.pending, draft.absorbed):
        draft = replace(draft, pending=pending, absorbed=absorbed)
    folded = (
        replace(draft, history=history.expunged(draft.history, data.sealed, terms.seal))
        if _is_marker(data, inner)
        else _folded(draft, inner, terms, data)
    )
    return settled(state, folded, inner, given, terms, *copies)


def is_at_home(state: Offender, adopt: Adopt, inner: Event[Data], terms: Terms) -> bool:
    """Whether what was handed over belongs here, and has not gone on."""
    return gone_to(_reopened(state, adopt, inner, terms), inner.data, terms) is None


def _is_marker(adopt: Adopt, inner: Event[Data]) -> bool:
    """The merge or split itself, at either end of what it hands over; not one that is sent after its offender."""
    return adopt.handover_id == inner.id


def _folded(draft: Offender, inner: Event[Data], terms: Terms, adopt: Adopt) -> Offender:
    """What was open there stays open here. A person's act that no longer fits changes nothing."""
    try:
        folded = fold(draft, inner, terms)
    except Refused:
        return draft
    match inner.data:
        case IncidentReported(incident_id=incident_id):
            reported_as = inner.data.offender.offender_id
        case IncidentRetracted(incident_id=incident_id, offender_id=reported_as):
            pass
        case _:
            return folded
    folded = named(folded, incident_id, reported_as, adopt.others, terms)
    strand = folded.history.strand(incident_id, reported_as)
    if strand.report is None:
        return folded
    return replace(folded, history=history.opened(folded.history, strand, adopt.opened_through))


def _reopened(state: Offender, adopt: Adopt, inner: Event[Data], terms: Terms) -> Offender:
    """A record that was closed takes again what is handed to it by name, or what has gone round a ring of merges; one that
    was split what comes round, or what a merge brings back from whom it was split off to.

    Of a ring (intake should have resolved it) the first id in the order of their text survives, wherever it is noticed.
    """
    me = state.offender_id
    data = inner.data
    if _is_marker(adopt, inner) and isinstance(data, OffenderSplit) and data.new_offender_id == me:
        if not adopt.moved:
            return state  # the last: he may have been merged since the first
        back = set(adopt.moved)
        return replace(state, alias=None, moved={key: move for key, move in state.moved.items() if key not in back})
    if me not in adopt.via and not _is_given_back(state, adopt, data, terms):
        return state
    if state.alias is not None and not adopt.by_split and me == min(adopt.via[adopt.via.index(me) :]):
        return replace(state, alias=None)
    back = {terms.seal(getattr(data, "incident_id", ""))}
    return replace(state, moved={key: move for key, move in state.moved.items() if key not in back})


def _is_given_back(state: Offender, adopt: Adopt, data: Data, terms: Terms) -> bool:
    """Whether who took the incident in a split is merged into the one whose it was, and hands it over with the rest."""
    if state.alias is not None or adopt.by_split or not adopt.remaining or not is_split_off(state, data, terms):
        return False
    move = gone_to(state, data, terms)
    return move is not None and move.to in adopt.via[-1:]
