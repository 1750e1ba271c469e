"""The model of the loop holds, and each tempting variant of it fails, so that the checker still bites (`docs/why.md`)."""

from __future__ import annotations

import pytest

from tests.fault.model import Claiming, Variant, check

ANY = {"kill": 1, "rebalance": 1, "sql answer": 1, "end answer": 1, "time-out": 1}
TWICE = {"kill": 2, "rebalance": 1, "sql answer": 2}
RESTORED = {"restore": 1, "kill": 1, "rebalance": 1, "end answer": 1, "time-out": 1}

HOLDS = {
    "b: epoch, and a new claim after everything": Variant(ANY),
    "b, two rebalances": Variant(ANY | {"rebalance": 2}),
    "b, two kills and two lost answers of SQL": Variant(TWICE),
    "b without the epoch": Variant(ANY, has_epoch=False),
    "b, epoch before the fence": Variant(ANY, order=("epoch", "init", "committed")),
    "b, committed before the epoch": Variant(ANY, order=("init", "committed", "epoch")),
    "pipe: SQL of n+1 while n is published": Variant(ANY, pipelined=True),
    "pipe without the epoch": Variant(ANY, pipelined=True, has_epoch=False),
    "restore-quiet": Variant(RESTORED),
    "restore-quiet, pipelined": Variant(RESTORED, pipelined=True),
}
COMMITTED_BEFORE_FENCE: list[tuple[Claiming, ...]] = [
    ("committed", "init", "epoch"),
    ("committed", "epoch", "init"),
    ("epoch", "committed", "init"),
]
FAILS = {
    "a: repeat SQL, stop at a lost compare-and-set": (
        "L1",
        Variant(ANY, has_epoch=False, stops=True, repeats_sql=True),
    ),
    "b-stop: stop when fenced": ("L1", Variant({"time-out": 1}, stops=True)),
    **{f"c: {' '.join(order)}": ("S2", Variant(ANY, order=order)) for order in COMMITTED_BEFORE_FENCE},
    "d-zero: no offset taken as 0": ("S2", Variant({"offset lost": 1, "rebalance": 1}, none_is_zero=True)),
    "restore-naive": ("S2", Variant({"restore": 1}, quiet=False)),
}


@pytest.mark.parametrize("variant", HOLDS.values(), ids=HOLDS.keys())
def test_holds(variant: Variant) -> None:
    found = check(variant)
    assert found.broken is None, f"{found.broken} after {found.path}"
    assert found.worlds > 1_000  # it did look


@pytest.mark.parametrize(("broken", "variant"), FAILS.values(), ids=FAILS.keys())
def test_fails(broken: str, variant: Variant) -> None:
    assert check(variant).broken == broken


def test_a_lost_offset_is_refused_for_good() -> None:
    """By design: nobody knows what was published, until a person has looked (`ipvi offsets mend`)."""
    found = check(Variant({"offset lost": 1, "rebalance": 1}))
    assert found.broken == "L1" and "the group's offset is lost" in found.path
