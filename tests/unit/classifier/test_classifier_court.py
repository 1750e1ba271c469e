"""What a court says of an arrest goes with the incident when that is expunged, however early or late it is said."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from schemas.classification import Tier
from schemas.envelope import Event, to_json_line
from schemas.incident import Disposition, Offense
from tests.harness.incidents import HIM, Bench, disposed, expunged, merged, report, retracted, split

OTHER = "O-2"
WORD = disposed("A-gone", Disposition.DISMISSED)


def left(bench: Bench) -> str:
    """All that is kept, and all that was said and is not erased."""
    told = [to_json_line(one.event).decode() for one in (*bench.said, *bench.handed) if one.about not in bench.erased]
    return repr(bench.offenders) + "".join(told)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_any_order(order: tuple[int, ...]) -> None:
    events = [report(1, charged=True, arrest="A-gone"), WORD, expunged(1)]
    bench = Bench()
    bench.put(report(2, charged=True), *(events[place] for place in order))
    assert "A-gone" not in left(bench)
    assert bench.offender().tier is Tier.C


@pytest.mark.parametrize("taken_back", [retracted(1), report(1, revision=2, charged=True, arrest="A-right")])
@pytest.mark.parametrize("word", ["first", "between", "last"])
def test_an_arrest_that_a_revision_named_and_the_last_one_does_not(taken_back: Event[Any], word: str) -> None:
    events = [report(1, charged=True, arrest="A-gone"), taken_back, expunged(1)]
    events.insert({"first": 0, "between": 2, "last": 3}[word], WORD)
    bench = Bench()
    bench.put(*events)
    assert "A-gone" not in left(bench)


def test_a_revision_that_comes_too_late_is_read_for_its_arrest() -> None:
    for before in ([report(1, revision=2, charged=True, arrest="A-right")], [retracted(1)]):
        bench = Bench()
        bench.put(*before, report(1, charged=True, arrest="A-gone"), WORD, expunged(1))
        assert "A-gone" not in left(bench)


def test_one_arrest_for_two_incidents() -> None:
    """The other's charge keeps its verdict; a charge that was the expunged one's alone does not."""
    both = [Offense(code=code, charged=True) for code in ("13B", "13C")]
    other = disposed("A-gone", Disposition.ACQUITTED, charge="13C", day=71)
    for last in (expunged(1), WORD):
        bench = Bench()
        bench.put(report(1, offenses=both, arrest="A-gone"), report(2, charged=True, arrest="A-gone"), other)
        bench.put(*([WORD, last] if last is not WORD else [expunged(1), WORD]))
        assert list(bench.offender().history.records) == [("disposition", "A-gone|13B")]
        assert bench.offender().history.disposed("A-gone", "13B") is not None


def test_a_verdict_on_a_charge_that_was_never_made() -> None:
    """A plea to something less."""
    bench = Bench()
    bench.put(report(1, charged=True, arrest="A-gone"), disposed("A-gone", Disposition.CONVICTED, charge="13C"))
    bench.put(expunged(1), disposed("A-gone", Disposition.CONVICTED, charge="90Z", day=99))
    assert "A-gone" not in left(bench)


def test_an_arrest_numbered_like_an_incident_takes_no_incident_along() -> None:
    other = report(2, charged=True)
    bench = Bench()
    bench.put(report(1, charged=True, arrest=other.data.incident_id), other, expunged(1))
    assert set(bench.offender().assessment.findings) == {other.data.incident_id}


@pytest.mark.parametrize("under", [HIM, OTHER])
@pytest.mark.parametrize("late", [False, True])
def test_after_a_merge(under: str, late: bool) -> None:
    """Nor in what one lane handed to another."""
    said = disposed("A-gone", Disposition.DISMISSED, OTHER)
    bench = Bench()
    bench.put(report(1, OTHER, charged=True, arrest="A-gone"), *([] if late else [said]), merged(OTHER))
    bench.put(expunged(1, under), *([said] if late else []))
    assert "A-gone" not in left(bench)


def test_revisions_go_along_with_a_merge() -> None:
    for taken_back in (retracted(1, OTHER), report(1, OTHER, revision=2)):
        bench = Bench()
        bench.put(report(1, OTHER, charged=True, arrest="A-gone"), taken_back, merged(OTHER), expunged(1), WORD)
        assert "A-gone" not in repr(bench.offenders)


@pytest.mark.parametrize("under", [HIM, "O-9"])
@pytest.mark.parametrize("said_of", [HIM, "O-9"])
def test_after_a_split(under: str, said_of: str) -> None:
    said = disposed("A-gone", Disposition.DISMISSED, said_of)
    bench = Bench()
    bench.put(report(1, charged=True, arrest="A-gone"), report(2), split([1], "O-9"), said, expunged(1, under))
    assert "A-gone" not in left(bench)
    bench.put(disposed("A-gone", Disposition.ACQUITTED, said_of, day=99))
    assert "A-gone" not in left(bench)


def test_while_a_hand_over_goes_on_nothing_is_dropped() -> None:
    """The other incident of the arrest is still on its way."""
    bench = Bench()
    bench.put(report(1, charged=True, arrest="A-both"), disposed("A-both", Disposition.DISMISSED), expunged(3, OTHER))
    bench.put(report(2, OTHER, charged=True, arrest="A-both"))
    bench.decide(merged(OTHER))
    bench.decide(bench.crossing.popleft())
    bench.decide(expunged(1))
    assert bench.offender().history.disposed("A-both", "13B") is not None
    bench.cross()
    assert bench.offender().history.disposed("A-both", "13B") is not None
