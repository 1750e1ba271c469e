"""Where a lane stands: what a claim finds, and what each step moves."""

from __future__ import annotations

from dataclasses import replace

from services.common.positions import Place
from services.common.standing import Standing
from tests.harness.one_lane import COMMANDS, INCIDENTS, record


def standing(*, incidents: int = 5, commands: int = 2, committed: dict[str, int | None] | None = None) -> Standing:
    places = {INCIDENTS: Place(incidents, incidents - 1), COMMANDS: Place(commands, commands)}
    group = {INCIDENTS: incidents, COMMANDS: commands} if committed is None else committed
    return Standing.claimed(places, group, {INCIDENTS: 7, COMMANDS: 2})


def test_after_a_claim_kafka_has_what_sql_has_though_sql_may_not_know() -> None:
    found = standing()
    assert found.next == found.published == {INCIDENTS: 5, COMMANDS: 2}
    assert found.marked == {INCIDENTS: 4, COMMANDS: 2}
    assert not found.quiet and not found.is_settled and not found.caught_up


def test_a_batch_stands_past_its_last_record_of_each_topic() -> None:
    found = standing()
    given = [record(5), replace(record(2), topic=COMMANDS), record(6)]
    assert found.after(given) == {INCIDENTS: 7, COMMANDS: 3}
    assert found.after([]) == found.next == {INCIDENTS: 5, COMMANDS: 2}


def test_it_is_settled_once_sql_knows_of_the_last_publication() -> None:
    found = standing()
    found.advance({INCIDENTS: 7, COMMANDS: 2}, found.published)
    assert found.caught_up and not found.is_settled
    found.published = found.next
    assert not found.is_settled  # SQL has what was published before this batch
    found.marked = found.published
    assert found.is_settled


def test_sql_knows_what_was_published_when_it_was_told_and_of_topics_that_moved_alone() -> None:
    found = standing()
    told = found.published
    found.published = {INCIDENTS: 6, COMMANDS: 2}  # while SQL was written
    found.advance({INCIDENTS: 7, COMMANDS: 2}, told)
    assert found.marked == {INCIDENTS: 5, COMMANDS: 2}


def test_a_restored_database_is_quiet_up_to_what_the_group_had_committed() -> None:
    found = standing(committed={INCIDENTS: 7, COMMANDS: 2})
    assert found.quiet == {INCIDENTS: 7} and found.published == {INCIDENTS: 7, COMMANDS: 2}
    found.advance({INCIDENTS: 6, COMMANDS: 2}, found.published)
    assert found.quiet == {INCIDENTS: 7}
    found.advance({INCIDENTS: 7, COMMANDS: 2}, found.published)
    assert not found.quiet and found.caught_up


def test_a_new_lane_has_committed_nothing() -> None:
    found = standing(committed={INCIDENTS: None, COMMANDS: None})
    assert not found.quiet and found.published == found.next
