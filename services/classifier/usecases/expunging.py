"""Expunction: an incident leaves no trace, wherever its history has gone and under whatever ids it was told.

Each lane erases what it and its database hold, tells notifier and victim_outreach to do the same, and sends the order on
as `forget`, which names no incident: to where the history is now, and to every id something was said under.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from schemas.commands import Forget
from schemas.envelope import Data, Event, deterministic_id, pair_id
from schemas.incident import IncidentExpunged, IncidentReported, IncidentRetracted
from schemas.topics import Topic
from services.classifier.domain import Erasure, Offender, court, history
from services.classifier.terms import Terms
from services.classifier.usecases.deciding import About, pair_of
from services.classifier.usecases.histories import fold, is_expunged
from services.classifier.usecases.settling import SOURCE, names_of, settled, tidied
from services.common.service import Input, Outcome, Outgoing, Redaction, caused_by


@dataclass(frozen=True, slots=True)
class Order:
    """What is to go. `incident_id`: where it is known here."""

    sealed: str
    incident_id: str | None
    pair_id: str
    agency: str | None = None
    matters: frozenset[str] = frozenset()
    """Sealed charges and arrests of it, as far as those have known who passed it on."""
    via: tuple[str, ...] = ()


def expunged(state: Offender, event: Event[IncidentExpunged], given: Input, terms: Terms) -> Outcome[Offender]:
    """The court's order. Kept of it: when it was carried out, by an id that only who sent it can work out."""
    data = event.data
    proof = deterministic_id("erasure", event.source, event.id)
    known = state.erasures.get(proof)
    erasures = {**state.erasures, proof: known or Erasure(proof, data.agency, given.at)}
    order = Order(terms.seal(data.incident_id), data.incident_id, state.pair(data.incident_id), data.agency)
    return _carried_out(state, replace(state, erasures=erasures), order, event, given, terms)


def forgotten(state: Offender, event: Event[Forget], given: Input, terms: Terms) -> Outcome[Offender]:
    """The order, from another lane."""
    data = event.data
    incident_id = next((each for each in state.history.strands if terms.seal(each) == data.sealed), None)
    order = Order(data.sealed, incident_id, data.pair_id, matters=frozenset(data.matters), via=tuple(data.via))
    return _carried_out(state, state, order, event, given, terms)


def kept_out(state: Offender, event: Event[Data], given: Input, terms: Terms) -> Outcome[Offender] | None:
    """Of what was expunged, not even that it came again is kept. None where the record is of nothing expunged.

    Where the history has gone a court's word may stand on what this late report names.
    """
    data = event.data
    if not isinstance(data, IncidentReported | IncidentRetracted) or not is_expunged(state, data.incident_id, terms):
        return None
    left, words = tidied(fold(state, event, terms), terms)
    learned = left.history.expunged - state.history.expunged
    order = Order(terms.seal(data.incident_id), data.incident_id, state.pair(data.incident_id), matters=learned)
    onwards = [state.alias.to] if learned and state.alias is not None else []
    return Outcome(
        left,
        tuple(_orders(order, onwards, [state.offender_id], given)),
        result="none",
        erase=tuple(filter(None, [pair_of(data), *words])),
        redact=(Redaction((state.offender_id,), data.incident_id),),
    )


def _carried_out(
    before: Offender, draft: Offender, order: Order, event: Event[Data], given: Input, terms: Terms
) -> Outcome[Offender]:
    """A history that has gone on keeps the sealed id of the incident where it is now. Here stay those of its charges: a
    court's word on them may come this way. An order that comes round has found the incident nowhere: it is on its way between
    these lanes, and all of them keep its sealed id."""
    move = before.moved.get(order.sealed, before.alias)
    round_to = move.to if move is not None and move.to in order.via else None
    sealed = order.matters if move is not None and round_to is None else order.matters | {order.sealed}
    draft = replace(draft, history=history.expunged(draft.history, sealed, terms.seal))
    learned = _matters(before, draft, order, terms)
    what = About(order.incident_id, expunged=True, agency=order.agency, pair_id=order.pair_id)
    elsewhere = {move.to} if move is not None else set[str]()
    if order.incident_id is not None:
        elsewhere |= names_of(before, order.incident_id)
    # Who passed it on did not know them.
    passed = (before.offender_id,) if learned else (*order.via, before.offender_id)
    order = replace(order, matters=order.matters | learned)
    onwards = elsewhere - set(passed)
    if round_to is not None and order.via.count(round_to) == 1:
        onwards.add(round_to)
    orders = _orders(order, sorted(onwards), passed, given)
    outcome = settled(before, draft, event, given, terms, *orders, what=what)
    changed = outcome.state != before or outcome.events
    return outcome if changed else replace(outcome, state=before, result="none")


def _matters(before: Offender, draft: Offender, order: Order, terms: Terms) -> frozenset[str]:
    """Sealed charges and arrests that are expunged now, and are of no incident that is left."""
    fresh = draft.history.expunged - before.history.expunged - order.matters - {order.sealed}
    return fresh - court.all_sealed(draft.history.matters(), terms.seal) if fresh else fresh


def _orders(order: Order, elsewhere: Sequence[str], passed: Sequence[str], given: Input) -> Iterator[Outgoing]:
    for name in elsewhere:
        pair = pair_id(order.incident_id, name) if order.incident_id else order.pair_id
        command = Forget(
            offender_id=name, sealed=order.sealed, pair_id=pair, matters=sorted(order.matters), via=list(passed)
        )
        event = caused_by(given, SOURCE, command, Topic.CLASSIFIER_COMMANDS, name, subject=name)
        event = replace(event, correlationid=None, causationid=None)
        yield Outgoing(Topic.CLASSIFIER_COMMANDS, event, other_lane=True)
