"""What a lane remembers is bounded, and it remembers those it met last."""

from __future__ import annotations

from services.common.recent import Recent


def test_whoever_was_met_longest_ago_is_forgotten() -> None:
    states = Recent[int]()
    states |= {"a": 1, "b": 2, "c": 3}
    states.met(["a", "x"])
    states.trim(2)
    assert list(states.items()) == [("c", 3), ("a", 1)]
    states |= {"c": 4}
    states.trim(0)
    assert not states
