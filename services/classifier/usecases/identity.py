"""Merges and splits: one lane closes its part and hands it over, event by event, to the lane of the other.

No state crosses lanes but as `adopt` commands. What comes late for a history, or an incident, that has gone follows it.
The first and the last of a hand-over carry the merge or split itself: the receiver is told even where there is nothing to
hand over, and an expunction in between (which empties a command still unpublished) cannot keep it open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

import orjson

from schemas.commands import Adopt
from schemas.envelope import Data, Event, from_json_line, pair_id, to_json_line
from schemas.incident import CaseDisposed, IncidentExpunged, IncidentReported, OffenderMerged, OffenderSplit
from schemas.rejects import InvalidRecord, RejectCode
from schemas.topics import Topic
from services.classifier.domain import Decided, History, Move, Offender, history
from services.classifier.usecases.histories import Refused, fold, is_expunged
from services.classifier.usecases.settling import SOURCE, Terms, settled
from services.common.service import Input, Outcome, Outgoing, caused_by


@dataclass(frozen=True, slots=True)
class Handed:
    """One event on its way to another offender's lane."""

    event: Event[Data]
    remaining: int = 0
    opened: bool = False
    via: tuple[str, ...] = ()
    """Who handed it on before."""


# the one that gives --------------------------------------------------------------------------------------------------


def taken(state: Offender, event: Event[Data], given: Input, terms: Terms) -> Outcome[Offender]:
    """A record of a history: folded in where the history is, else sent after it."""
    copies = tuple(_copied(state, event, given, terms))
    if (move := _gone(state, event.data, terms)) is not None:
        return _sent_after(state, move, Handed(event), given, *copies)
    return settled(state, fold(state, event, terms), event, given, terms, *copies)


def merged(state: Offender, event: Event[OffenderMerged], given: Input, terms: Terms) -> Outcome[Offender]:
    """The merged one's part. Closes his record; merged before into another, he is what that other now is."""
    data = event.data
    if data.offender_id == data.merged_offender_id:
        raise InvalidRecord(RejectCode.OUT_OF_RANGE, "merged_offender_id")
    if state.alias is not None and state.alias.to == data.offender_id:
        return Outcome(state, result="none")
    if state.alias is not None:
        onwards = replace(event, data=data.model_copy(update={"merged_offender_id": state.alias.to}))
        return _sent_after(state, state.alias, Handed(onwards), given)
    move = Move(data.offender_id, event.id)
    closed = Offender(
        state.offender_id,
        history=History(expunged=state.history.expunged),
        alias=move,
        moved=state.moved,
        decisions=_unnamed(state, state.history.strands),
    )
    return settled(state, closed, event, given, terms, *_handover(state, state.history, event, move, given))


def split(state: Offender, event: Event[OffenderSplit], given: Input, terms: Terms) -> Outcome[Offender]:
    """The part of the one who stays: the named incidents go; what was sent elsewhere before stays there."""
    data = event.data
    if data.offender_id == data.new_offender_id:
        raise InvalidRecord(RejectCode.OUT_OF_RANGE, "new_offender_id")
    if state.alias is not None:
        return _sent_after(state, state.alias, Handed(event), given)
    move = Move(data.new_offender_id, event.id)
    going = {each: told for each, told in state.history.strands.items() if each in data.incident_ids}
    arrests = history.arrests_of(going)
    sealed = {terms.seal(state.offender_id, each): move for each in {*data.incident_ids, *arrests}}
    rest = replace(
        state,
        history=state.history.without(going),
        moved={**sealed, **state.moved},
        decisions=_unnamed(state, going),
    )
    tried = {key: one for key, one in state.history.records.items() if history.arrest_of(one) in arrests}
    return settled(state, rest, event, given, terms, *_handover(state, History(going, tried), event, move, given))


def _unnamed(state: Offender, gone: Collection[str]) -> Mapping[str, Decided]:
    """Decisions on incidents that have gone keep the opaque pair alone: an expunction there need not come back here."""
    return {
        key: replace(one, incident_id=None) if one.incident_id in gone else one for key, one in state.decisions.items()
    }


def _gone(state: Offender, data: Data, terms: Terms) -> Move | None:
    """Where the history, or the incident, that the record belongs to has gone. What is expunged here goes nowhere."""
    incident_id = getattr(data, "incident_id", None)
    if incident_id is None or not (state.moved or state.history.expunged):
        return state.alias
    if is_expunged(state, incident_id, terms):
        return None
    return state.moved.get(terms.seal(state.offender_id, incident_id), state.alias)


def _sent_after(state: Offender, move: Move, handed: Handed, given: Input, *more: Outgoing) -> Outcome[Offender]:
    """Pass the event on. An expunction also ends what is kept here of the incident."""
    said = (_adopt(state, move, handed, given), *more)
    data = handed.event.data
    if not isinstance(data, IncidentExpunged):
        return Outcome(state, said)
    pair = state.pair(data.incident_id)
    decisions = {key: one for key, one in state.decisions.items() if one.pair_id != pair}
    return Outcome(replace(state, decisions=decisions), said, erase=(pair,))


def _copied(
    state: Offender, event: Event[Data], given: Input, terms: Terms, via: tuple[str, ...] = ()
) -> Iterator[Outgoing]:
    """A court's word on an arrest some of whose incidents went elsewhere: it holds there too."""
    if isinstance(event.data, CaseDisposed):
        move = state.moved.get(terms.seal(state.offender_id, event.data.arrest_id))
        if move is not None and move.to not in via:
            yield _adopt(state, move, Handed(event, via=via), given, "copy")


def _handover(state: Offender, part: History, cause: Event[Data], move: Move, given: Input) -> Iterator[Outgoing]:
    """In the order of the events' own time."""
    events = sorted(_events_of(part), key=lambda each: (each[0].time, each[0].id))
    whole: list[tuple[Event[Data], bool]] = [(cause, False), *events, *([(cause, False)] if events else [])]
    for place, (event, opened) in enumerate(whole):
        yield _adopt(state, move, Handed(event, len(whole) - 1 - place, opened), given, place)


def _events_of(part: History) -> Iterable[tuple[Event[Data], bool]]:
    """Every event the part is made of, and whether outreach is open for it."""
    for told in part.strands.values():
        for strand in told:
            if strand.report is not None:
                yield strand.report, not strand.listed
            if strand.retraction is not None:
                yield strand.retraction, False
    for record in part.records.values():
        yield record, False


def _adopt(state: Offender, move: Move, handed: Handed, given: Input, place: int | str = 0) -> Outgoing:
    data = handed.event.data
    command = Adopt(
        offender_id=move.to,
        from_offender_id=state.offender_id,
        original=orjson.loads(to_json_line(handed.event)),
        remaining=handed.remaining,
        handover_id=move.handover_id,
        opened=handed.opened,
        via=[*handed.via, state.offender_id],
    )
    event = caused_by(given, SOURCE, command, Topic.CLASSIFIER_COMMANDS, state.offender_id, place, subject=move.to)
    key = None
    if isinstance(data, IncidentReported):
        key = pair_id(data.incident_id, data.offender.offender_id)
    return Outgoing(Topic.CLASSIFIER_COMMANDS, event, about=key, other_lane=True)


# the one that takes --------------------------------------------------------------------------------------------------


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
    copies = tuple(_copied(draft, inner, given, terms, tuple(data.via)))
    if (move := _gone(draft, inner.data, terms)) is not None:
        handed = Handed(inner, data.remaining, data.opened, tuple(data.via))
        return _sent_after(draft, replace(move, handover_id=data.handover_id), handed, given, *copies)
    pending = draft.pending | {data.handover_id} if data.remaining else draft.pending - {data.handover_id}
    absorbed = draft.absorbed.union(data.via) - {draft.offender_id}
    if (pending, absorbed) != (draft.pending, draft.absorbed):
        draft = replace(draft, pending=pending, absorbed=absorbed)
    folded = draft if _is_marker(data, inner) else _folded(draft, inner, terms, opened=data.opened)
    return settled(state, folded, inner, given, terms, *copies)


def _is_marker(adopt: Adopt, inner: Event[Data]) -> bool:
    """The merge or split itself, at either end of what it hands over; not one that is sent after its offender."""
    return adopt.handover_id == inner.id


def _folded(draft: Offender, inner: Event[Data], terms: Terms, *, opened: bool) -> Offender:
    """What was open there stays open here. A person's act that no longer fits changes nothing."""
    try:
        folded = fold(draft, inner, terms)
    except Refused:
        return draft
    if not (opened and isinstance(inner.data, IncidentReported)):
        return folded
    strand = folded.history.strand(inner.data.incident_id, inner.data.offender.offender_id)
    if strand.report is None or not strand.listed:
        return folded
    return replace(folded, history=history.opened(folded.history, strand))


def _reopened(state: Offender, adopt: Adopt, inner: Event[Data], terms: Terms) -> Offender:
    """A record that was closed takes again what is handed to it by name, or what has gone round a ring of merges.

    Of a ring (intake should have resolved it) the first id in the order of their text survives, wherever it is noticed.
    """
    me = state.offender_id
    data = inner.data
    if _is_marker(adopt, inner) and isinstance(data, OffenderSplit) and data.new_offender_id == me:
        back = {terms.seal(me, each) for each in data.incident_ids}
        return replace(state, alias=None, moved={key: move for key, move in state.moved.items() if key not in back})
    if me not in adopt.via:
        return state
    if state.alias is not None and me == min(adopt.via[adopt.via.index(me) :]):
        return replace(state, alias=None)
    back = {terms.seal(me, getattr(data, "incident_id", ""))}
    return replace(state, moved={key: move for key, move in state.moved.items() if key not in back})
