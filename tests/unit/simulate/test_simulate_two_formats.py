"""One agency sends the same months as NIBRS and from its own system, of men without a number: one id, two tellings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from schemas.envelope import Data, Event
from schemas.incident import IncidentReported, IncidentRetracted
from schemas.policy_file import load_policy
from schemas.rejects import InvalidRecord, RejectCode
from services.cli.replay import Replay
from services.cli.simulate import flat
from services.cli.simulate.county import County
from services.cli.simulate.feed import lives, sorted_on_disk
from services.cli.simulate.flat import ZONE
from services.cli.simulate.history import Life
from services.intake.lines import Source
from services.intake.nibrs import read_nibrs

COUNTY = County(seed=31, offenders=1_500, years=1, live_days=10_000)
Told = Sequence[Event[Data]]


@cache
def unnumbered() -> list[Life]:
    """Whose records have no number, so that each incident is another man's to both feeds; without mutual arrests."""
    found = []
    for life in lives(COUNTY):
        no_number = not any(
            one.identifiers.agency_person or one.identifiers.state_id or one.identifiers.fbi_number
            for one in life.known
        )
        alone = len({e.correlationid for e in own(life)}) == len({e.subject for e in own(life)})
        if no_number and alone and own(life):
            found.append(life)
    return found


def own(life: Life) -> Told:
    return [sent.event for sent in life.sent if isinstance(sent.event.data, IncidentReported | IncidentRetracted)]


@cache
def submitted() -> Told:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "months.txt"
        path.write_bytes(b"".join(sorted_on_disk(row for life in unnumbered() for row in flat.reports(life))))
        return [event for unit in read_nibrs(Source(path), lambda _: ZONE) for event in unit.events]


def decided(told: Iterable[Event[Data]]) -> tuple[Replay, Counter[RejectCode]]:
    run, refused = Replay(load_policy("high-point-practice")), Counter[RejectCode]()
    for event in told:
        try:
            run.decide(event)
        except InvalidRecord as invalid:
            refused[invalid.code] += 1
    return run, refused


@pytest.mark.parametrize("nibrs_first", [False, True])
def test_what_came_first_stands_counts_once_and_the_other_is_refused(nibrs_first: bool) -> None:
    ours = [event for life in unnumbered() for event in own(life)]
    first, second = (submitted(), ours) if nibrs_first else (ours, submitted())
    alone, none = decided(first)
    both, refused = decided([*first, *second])
    assert not none
    who = {event.subject for event in ours}
    assert len(who) >= 20
    assert who == {event.subject for event in submitted()}, "one id to both"
    assert set(refused) == {RejectCode.CONFLICTING_REVISION}, "nothing is passed over without a word"
    assert refused[RejectCode.CONFLICTING_REVISION] >= 0.8 * len(who)
    for each in who:
        assert len(both.offender(each).history.strands) == 1
        assert both.offender(each).tier == alone.offender(each).tier


@pytest.mark.parametrize("nibrs_first", [False, True])
def test_where_the_table_says_when_it_was_changed_it_stands_whole_in_either_order(nibrs_first: bool) -> None:
    """`updated` is a revision above every month of submission."""
    ours = [
        replace(event, data=event.data.model_copy(update={"revision": int(event.time.timestamp())}))
        for life in unnumbered()
        for event in own(life)
        if isinstance(event.data, IncidentReported)
    ]
    both, refused = decided([*submitted(), *ours] if nibrs_first else [*ours, *submitted()])
    alone, _ = decided(ours)
    assert not refused
    for each in {event.subject for event in ours}:
        [(told,)], [(stands,)] = (
            alone.offender(each).history.strands.values(),
            both.offender(each).history.strands.values(),
        )
        assert stands.report == told.report is not None
        assert both.offender(each).tier == alone.offender(each).tier
