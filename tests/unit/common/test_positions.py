"""Recovery is cut where a record's rows end, and says for each topic where it then stands."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.common.positions import LaneRow, chunks, with_failure
from services.common.producer import JournalRow

A, B = "a", "b"


def rows(*causes: tuple[str, int]) -> list[JournalRow]:
    return [JournalRow(seq, topic, offset, "out", 0, None, None, ()) for seq, (topic, offset) in enumerate(causes)]


def test_a_record_is_not_cut_in_two() -> None:
    made = list(chunks(rows((A, 0), (A, 1), (A, 1), (A, 1), (A, 4)), {A: 9}, 2))
    assert [[row.in_offset for row in chunk] for chunk, _ in made] == [[0, 1, 1, 1], [4]]
    assert [reached for _, reached in made] == [{A: 4}, {A: 9}]


def test_a_topic_with_no_rows_left_is_at_its_end() -> None:
    made = list(chunks(rows((B, 5), (A, 0), (A, 1)), {A: 7, B: 6}, 1))
    assert [reached for _, reached in made] == [{A: 0, B: 6}, {A: 1, B: 6}, {A: 7, B: 6}]


def test_nothing_to_publish_makes_no_transaction() -> None:
    assert list(chunks([], {A: 7}, 10)) == []


@given(
    st.lists(st.tuples(st.sampled_from([A, B]), st.integers(1, 3), st.integers(0, 4)), max_size=30),
    st.integers(1, 7),
)
def test_after_each_chunk_exactly_its_rows_lie_below_the_offsets(steps: list[tuple[str, int, int]], size: int) -> None:
    """So a claim after any of them publishes the rest: each row once, none left out."""
    nexts, causes = {A: 0, B: 0}, []
    for topic, gap, said in steps:
        at = nexts[topic] + gap - 1
        causes += [(topic, at)] * said
        nexts[topic] = at + 1
    made, published = rows(*causes), 0
    for chunk, reached in chunks(made, nexts, size):
        published += len(chunk)
        assert [row for row in made if row.in_offset < reached[row.in_topic]] == made[:published]
        assert set(reached) == {A, B}
    assert published == len(made)


def test_failures_of_one_record_add_up_and_another_starts_anew() -> None:
    row = LaneRow(epoch=1)
    for times in (1, 2, 3):
        row = with_failure(row, "incidents:7")
        assert (row.failing, row.failures) == ("incidents:7", times)
    assert with_failure(row, "incidents:8").failures == 1
