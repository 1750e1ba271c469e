"""The one that gives: closes his part, or some incidents of it, and sends them on; and what comes late after them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import orjson

from schemas.commands import Adopt, NotedVictim
from schemas.envelope import Data, Event, to_json_line
from schemas.incident import (
    CaseDisposed,
    IncidentReported,
    NotificationRecorded,
    OffenderMerged,
    OffenderSplit,
)
from schemas.notification import NotificationServed, NotificationWithdrawn
from schemas.rejects import InvalidRecord, RejectCode
from schemas.topics import Topic
from services.classifier.domain import Decided, History, Move, Offender, Seal, court
from services.classifier.terms import Terms
from services.classifier.usecases.deciding import about_of, pair_of
from services.classifier.usecases.expunging import kept_out
from services.classifier.usecases.histories import fold, is_expunged
from services.classifier.usecases.settling import SOURCE, settled
from services.common.service import Input, Outcome, Outgoing, caused_by


@dataclass(frozen=True, slots=True)
class Handed:
    """One event on its way to another offender's lane."""

    event: Event[Data]
    remaining: int = 0
    sealed: frozenset[str] = frozenset()
    """What was expunged there and is to stay out here."""
    opened_through: int = 0
    others: tuple[str, ...] = ()
    """Matters that other revisions of the report named."""
    via: tuple[str, ...] = ()
    """Who handed it on before."""
    known_as: frozenset[str] = frozenset()
    """By whose way it may have come to the first of them."""
    moved: tuple[str, ...] = ()
    """Sealed ids of what a split moves."""
    by_split: bool = False
    """Sent after what a split has moved: the hand-over it came with does not wait for it, and it closes no ring."""


def taken(state: Offender, event: Event[Data], given: Input, terms: Terms) -> Outcome[Offender]:
    """A record of a history: folded in where the history is, else sent after it. What is expunged stays out."""
    if (outcome := kept_out(state, event, given, terms)) is not None:
        return outcome
    copies = tuple(copied(state, event, given, terms))
    if (move := gone_to(state, event.data, terms)) is not None:
        return sent_after(state, move, Handed(event), given, terms, *copies)
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
        return sent_after(state, state.alias, Handed(onwards), given, terms)
    move = Move(data.offender_id, event.id)
    closed = Offender(
        state.offender_id,
        history=History(expunged=state.history.expunged),
        alias=move,
        moved=state.moved,
        last_asking=state.last_asking,
        erasures=state.erasures,
        decisions=_unnamed(state, state.history.strands),
    )
    handed = _handover(state, state.history, event, move, given, terms.seal)
    return settled(state, closed, event, given, terms, *handed, *_cases(state, move, given))


def _cases(state: Offender, move: Move, given: Input) -> Iterator[Outgoing]:
    """That he is a victim too goes with him."""
    for case in sorted(state.victim_of):
        data = NotedVictim(offender_id=move.to, case=case)
        event = caused_by(given, SOURCE, data, Topic.CLASSIFIER_COMMANDS, state.offender_id, case, subject=move.to)
        yield Outgoing(Topic.CLASSIFIER_COMMANDS, event, other_lane=True)


def split(state: Offender, event: Event[OffenderSplit], given: Input, terms: Terms) -> Outcome[Offender]:
    """The part of the one who stays: the named incidents go; what was sent elsewhere before stays there."""
    data = event.data
    if data.offender_id == data.new_offender_id:
        raise InvalidRecord(RejectCode.OUT_OF_RANGE, "new_offender_id")
    if state.alias is not None:
        return sent_after(state, state.alias, Handed(event), given, terms)
    move = Move(data.new_offender_id, event.id)
    going = {each: told for each, told in state.history.strands.items() if each in data.incident_ids}
    arrests = court.arrests(state.history.matters(going))
    sealed = dict.fromkeys(
        [*map(terms.seal, data.incident_ids), *(_arrest(each, move, terms) for each in arrests)], move
    )
    rest = replace(
        state,
        history=state.history.without(going),
        moved={**sealed, **state.moved},
        decisions=_unnamed(state, going),
    )
    out = state.history.expunged & {terms.seal(each) for each in data.incident_ids}
    part = History(going, {**state.history.tried(arrests), **state.history.reviewed(going)}, out)
    return settled(state, rest, event, given, terms, *_handover(state, part, event, move, given, terms.seal))


def _arrest(arrest_id: str, move: Move, terms: Terms) -> str:
    """Of an arrest some of whose incidents went there, and others perhaps elsewhere. Sealed as no incident can be, should an
    agency number both alike."""
    return terms.seal(f"\n{arrest_id}\n{move.to}")


def _unnamed(state: Offender, gone: Collection[str]) -> Mapping[str, Decided]:
    """Decisions on incidents that have gone keep the opaque pair alone: an expunction there need not come back here."""
    return {
        key: replace(one, incident_id=None) if one.incident_id in gone else one for key, one in state.decisions.items()
    }


def gone_to(state: Offender, data: Data, terms: Terms) -> Move | None:
    """Where the history, or the incident, that the record belongs to has gone. What is expunged here goes nowhere."""
    incident_id = getattr(data, "incident_id", None)
    if incident_id is None or not (state.moved or state.history.expunged):
        return state.alias
    if is_expunged(state, incident_id, terms):
        return None
    return state.moved.get(terms.seal(incident_id), state.alias)


def is_split_off(state: Offender, data: Data, terms: Terms) -> bool:
    """Whether a split has moved the incident that the record names."""
    incident_id = getattr(data, "incident_id", None)
    return incident_id is not None and bool(state.moved) and terms.seal(incident_id) in state.moved


def sent_after(
    state: Offender, move: Move, handed: Handed, given: Input, terms: Terms, *more: Outgoing
) -> Outcome[Offender]:
    """Pass the event on, and with a report what the court has said of its arrest, then and from then on."""
    if is_split_off(state, handed.event.data, terms):
        handed = replace(handed, by_split=True)
    said = (_adopt(state, move, handed, given, terms.seal), *more)
    match handed.event.data:
        case IncidentReported(arrest=arrest) if arrest is not None and state.alias is None:
            tried = state.history.tried({arrest.arrest_id}).values()
            heard = [Handed(one, via=handed.via, by_split=True) for one in tried]
            copies = [_adopt(state, move, each, given, terms.seal, each.event.id) for each in heard]
            moved = {_arrest(arrest.arrest_id, move, terms): move, **state.moved}
            return Outcome(replace(state, moved=moved), (*said, *copies))
        case _:
            return Outcome(state, said)


def copied(
    state: Offender, event: Event[Data], given: Input, terms: Terms, via: tuple[str, ...] = ()
) -> Iterator[Outgoing]:
    """A court's word on an arrest some of whose incidents went elsewhere: it holds there too."""
    if isinstance(event.data, CaseDisposed):
        for to, move in sorted({move.to: move for move in state.moved.values()}.items()):
            if to not in via and _arrest(event.data.arrest_id, move, terms) in state.moved:
                handed = Handed(event, via=via, by_split=True)
                yield _adopt(state, move, handed, given, terms.seal, f"copy for {to}")


def _handover(
    state: Offender, part: History, cause: Event[Data], move: Move, given: Input, seal: Seal
) -> Iterator[Outgoing]:
    """Notices first, or one might be prepared that was given already; else in the order of the events' own time."""
    events = sorted(_events_of(part), key=lambda each: (not _is_notice(each.event), each.event.time, each.event.id))
    mark, moved = _marker(cause, seal)
    first = Handed(mark, sealed=part.expunged, moved=moved)
    whole = [first, *events, *([Handed(mark)] if events else [])]
    for place, handed in enumerate(whole):
        handed = replace(handed, remaining=len(whole) - 1 - place, known_as=state.absorbed)
        yield _adopt(state, move, handed, given, seal, place)


UNNAMED = "000000000:-"
"""Stands for the incidents of a split in the marker of its hand-over, which an expunction must not empty."""


def _marker(cause: Event[Data], seal: Seal) -> tuple[Event[Data], tuple[str, ...]]:
    """The merge or split as it marks both ends of the hand-over, and which incidents it moves."""
    if not isinstance(cause.data, OffenderSplit):
        return cause, ()
    moved = tuple(sorted({seal(each) for each in cause.data.incident_ids}))
    unnamed = cause.data.model_copy(update={"incident_ids": [UNNAMED]})
    return replace(cause, data=unnamed, correlationid=None), moved


def _events_of(part: History) -> Iterator[Handed]:
    """Every event the part is made of."""
    for told in part.strands.values():
        for strand in told:
            if strand.report is not None:
                yield Handed(strand.report, opened_through=strand.opened_through, others=tuple(sorted(strand.others)))
            if strand.retraction is not None:
                yield Handed(strand.retraction, others=tuple(sorted(strand.others)))
    for record in part.records.values():
        yield Handed(record)


def _is_notice(event: Event[Data]) -> bool:
    return isinstance(event.data, NotificationRecorded | NotificationServed | NotificationWithdrawn)


def _adopt(state: Offender, move: Move, handed: Handed, given: Input, seal: Seal, place: int | str = 0) -> Outgoing:
    command = Adopt(
        offender_id=move.to,
        from_offender_id=state.offender_id,
        original=orjson.loads(to_json_line(handed.event)),
        remaining=handed.remaining,
        handover_id=move.handover_id,
        sealed=sorted(handed.sealed),
        opened_through=handed.opened_through,
        others=list(handed.others),
        via=[*handed.via, state.offender_id],
        known_as=sorted(handed.known_as),
        moved=list(handed.moved),
        by_split=handed.by_split,
    )
    event = caused_by(given, SOURCE, command, Topic.CLASSIFIER_COMMANDS, state.offender_id, place, subject=move.to)
    event = replace(event, correlationid=pair_of(handed.event.data))
    return Outgoing(Topic.CLASSIFIER_COMMANDS, event, about=about_of(handed.event.data, seal), other_lane=True)
