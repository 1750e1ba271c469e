"""What occurs more than once is found without memory for what does not."""

from __future__ import annotations

import tracemalloc

from services.intake.repeats import repeats


def test_only_repeats_with_their_marks_in_order() -> None:
    a, b, c = ("incident", "O", "1"), ("incident", "O", "2"), ("arrest", "O", "1")
    assert repeats([(a, "I"), (b, "I"), (a, "D"), (c, "A"), (a, "I"), (c, "A")]) == {a: "IDI", c: "AA"}
    assert repeats([]) == {}


def test_odd_texts_are_keys_like_others() -> None:
    odd = ("é", "a\0b", "")
    assert repeats([(odd, "I"), (odd, "I"), (("e", "a", ""), "I")]) == {odd: "II"}


def test_memory_does_not_grow_with_the_file() -> None:
    repeats([])
    tracemalloc.start()
    repeats((("incident", "ZZ0010000", f"25-{number}"), "I") for number in range(50_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
