"""What was said to have been given does not stand: recorded by mistake, or withdrawn since."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool

from schemas.classification import Change, Tier
from schemas.commands import AskGiven, GivenBefore, Role, TellGiven
from schemas.notice_work import Correction
from schemas.notification import CancelReason, NotificationState, NotificationWithdrawn, ServiceMistake
from services.notifier.store import NotifierStore, metadata
from tests.harness.notices import HIM, LANE, START, Bench, decision, expunction, gate, withdrawal


def served(tier: Tier = Tier.C) -> Bench:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1, tier), gate(1))
    assert bench.serve() == "applied"
    bench.story()
    return bench


def ended(bench: Bench) -> list[NotificationWithdrawn]:
    return [one for one in bench.said if isinstance(one, NotificationWithdrawn)]


def test_it_waits_anew_for_the_gates_next_word_and_is_given_again() -> None:
    bench = served()
    given_at = bench.now
    bench.wait(hours=1).heartbeat()
    bench.wait(seconds=1)
    assert bench.undo(mistake=ServiceMistake.WRONG_NOTICE) == "applied"
    [event] = ended(bench)
    assert (event.served_at, event.withdrawn_at, event.mistake) == (given_at, None, ServiceMistake.WRONG_NOTICE)
    assert bench.story() == ["C withdrawn", "C held (gate)"]
    notice = bench.notice
    assert (notice.served_at, notice.proof, notice.served_by, notice.letter_sha256) == (None, None, None, None)
    bench.wait(minutes=1).heartbeat()
    assert bench.story() == ["C released"]
    assert bench.serve() == "applied"
    assert bench.story() == ["C served"]


def test_a_right_word_of_an_earlier_service_is_taken_while_it_waits() -> None:
    bench = served()
    given_at = bench.now
    bench.wait(hours=1)
    bench.undo()
    assert bench.notice.state is NotificationState.HELD
    assert bench.serve(at=given_at) == "applied"


def test_it_is_a_coordinators_and_of_what_was_recorded() -> None:
    bench = served()
    assert bench.undo(Role.OFFICER) == "refused:role_missing"
    assert bench.undo() == "applied"
    assert bench.undo() == "refused:not_served"


def test_a_decision_that_still_says_it_was_given_does_not_end_it() -> None:
    bench = served()
    bench.undo()
    bench.put(decision(2, Tier.C, change=Change.KEPT, tiers_served=[Tier.C]))
    assert bench.states() == ["C held"]


def test_overtaken_in_the_meantime_it_ends_as_it_would_have() -> None:
    bench = served()
    notice_id = bench.notice.notification_id
    bench.put(decision(2, Tier.B, change=Change.ESCALATED))
    assert bench.states() == ["C served", "B held"]
    assert bench.undo(notice_id=notice_id) == "applied"
    assert bench.states() == ["C cancelled", "B held"]
    assert bench.offender.notices[notice_id].ended is CancelReason.SUPERSEDED


def test_its_list_stands_on_another_incident() -> None:
    bench = served()
    first = bench.notice.notification_id
    bench.put(decision(2, Tier.C, change=Change.KEPT), withdrawal(1, Tier.C, change=Change.KEPT))
    assert bench.states() == ["C corrected"]
    bench.wait(seconds=1).undo()
    assert bench.states() == ["C cancelled", "C held"]
    assert bench.notice.notification_id != first


def test_given_twice_under_two_records_it_is_not_given_again_where_one_stands() -> None:
    bench = served()
    one = GivenBefore(notification_id="N-1", tier=Tier.C, served_at=START)
    bench.put(TellGiven(offender_id=HIM, from_offender_id="O-0", given=[one]))
    bench.wait(minutes=1).heartbeat()
    assert bench.undo() == "applied"
    assert bench.states() == ["C cancelled"]
    [notice] = bench.offender.notices.values()
    assert notice.ended is CancelReason.MERGED
    bench.wait(seconds=1).put(TellGiven(offender_id=HIM, from_offender_id="O-0", given=[], no_more=["N-1"]))
    assert bench.states() == ["C cancelled", "C held"]


def test_corrected_and_never_given_it_ends_with_its_incident() -> None:
    bench = served()
    bench.put(withdrawal(1, None, change=Change.REMOVED))
    assert bench.undo() == "applied"
    assert bench.states() == ["C cancelled"]


def test_of_an_expunged_incident_nothing_is_left() -> None:
    bench = served()
    bench.put(expunction(1, None))
    assert bench.states() == ["C corrected"]
    assert bench.undo() == "applied"
    assert bench.offender.notices == {}


def test_what_is_prepared_for_an_expunged_one_survives_a_decision_that_still_says_it_was_given() -> None:
    bench = served()
    first = bench.notice.notification_id
    bench.put(decision(2, Tier.C, change=Change.KEPT), expunction(1, Tier.C))
    assert bench.states() == ["C corrected"]
    bench.wait(seconds=1).undo()
    assert bench.states() == ["C held"]
    bench.put(decision(2, Tier.C, change=Change.KEPT, tiers_served=[Tier.C]))
    assert (first in bench.offender.notices, bench.states()) == (False, ["C held"])


def told_that_it_does_not_stand() -> Bench:
    bench = served()
    bench.put(withdrawal(1, None, change=Change.REMOVED))
    assert bench.decide(Correction.WITHDRAWAL) == "applied"
    bench.wait(days=1).heartbeat()
    assert bench.correct() == "applied"
    return bench


def test_what_is_withdrawn_is_in_force_no_more_and_may_be_given_again() -> None:
    bench = told_that_it_does_not_stand()
    [event] = ended(bench)
    assert (event.served_at, event.withdrawn_at, event.mistake) == (START, bench.now, None)
    assert bench.undo() == "refused:already_corrected"
    bench.put(decision(2, Tier.C, tiers_served=[Tier.C]))
    assert bench.states() == ["C corrected", "C held"]


def test_nobody_was_told_before_it_was_decided_what_he_is_told() -> None:
    """A day too early by a slip would take breaches between the two out of the count."""
    bench = served()
    bench.wait(days=3).put(withdrawal(1, None, change=Change.REMOVED))
    assert bench.decide(Correction.WITHDRAWAL) == "applied"
    decided_at = bench.now
    bench.wait(days=1).heartbeat()
    assert bench.decide(Correction.WITHDRAWAL) == "applied"  # once more, and it is the same word
    assert bench.correct(at=decided_at - timedelta(days=1)) == "refused:not_decided"
    assert bench.correct(at=decided_at) == "applied"


def test_on_his_list_again_before_he_was_told_he_is_given_it_again() -> None:
    bench = served()
    bench.put(withdrawal(1, None, change=Change.REMOVED))
    bench.decide(Correction.WITHDRAWAL)
    bench.put(decision(2, Tier.C), gate(2))
    assert bench.states() == ["C corrected"]
    bench.wait(minutes=1).heartbeat()
    assert bench.wait(seconds=1).correct() == "applied"
    assert bench.states() == ["C corrected", "C held"]


@pytest.mark.parametrize("how", [Correction.LETTER, Correction.NONE])
def test_corrected_in_part_it_stands(how: Correction) -> None:
    bench = served()
    bench.put(withdrawal(1, None, change=Change.REMOVED))
    bench.decide(how)
    bench.correct()
    bench.put(decision(2, Tier.C))
    assert (ended(bench), bench.states()) == ([], ["C corrected"])


def test_whoever_was_told_that_it_was_given_is_told_that_it_was_not() -> None:
    bench = served()
    notice_id = bench.notice.notification_id
    bench.put(AskGiven(offender_id=HIM, surviving_offender_id="O-9"))
    bench.put(decision(None, None, merged_offender_id=HIM, change=Change.REMOVED))
    bench.work.clear()
    assert bench.undo(notice_id=notice_id) == "applied"
    assert bench.offender.notices[notice_id].ended is CancelReason.MERGED
    [sent] = [one for one in bench.work if isinstance(one, TellGiven)]
    assert (sent.offender_id, sent.given, sent.no_more) == ("O-9", [], [notice_id])


def test_who_heard_that_it_was_given_gives_it() -> None:
    bench = Bench()
    bench.heartbeat()
    one = GivenBefore(notification_id="N-1", tier=Tier.C, served_at=START)
    bench.put(TellGiven(offender_id=HIM, from_offender_id="O-0", given=[one]), decision(1))
    assert bench.states() == []
    bench.put(TellGiven(offender_id=HIM, from_offender_id="O-0", given=[], no_more=["N-1"]))
    assert bench.states() == ["C held"]
    bench.put(decision(2, Tier.C, change=Change.KEPT, tiers_served=[Tier.C]))
    assert bench.states() == ["C held"]
    bench.put(TellGiven(offender_id=HIM, from_offender_id="O-0", given=[one]))
    assert bench.states() == ["C cancelled"]
    assert [past.stands for past in bench.offender.past] == [True]


async def test_both_are_kept() -> None:
    """What counts no more, and its successor of the same list, in one step."""
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    store = NotifierStore()
    bench = served()
    bench.put(
        TellGiven(
            offender_id=HIM,
            from_offender_id="O-0",
            given=[GivenBefore(notification_id="N-1", tier=Tier.D, served_at=START)],
        )
    )
    bench.put(withdrawal(1, None, change=Change.REMOVED))
    bench.decide(Correction.WITHDRAWAL)
    bench.put(decision(2, Tier.C), gate(2))
    async with engine.begin() as conn:
        await conn.run_sync(metadata.create_all)
        await store.save(conn, LANE, {HIM: (store.new(HIM), bench.offender)})
    before = bench.offender
    bench.wait(minutes=1).heartbeat()
    bench.wait(seconds=1).correct()
    bench.put(TellGiven(offender_id=HIM, from_offender_id="O-0", given=[], no_more=["N-1"]))
    assert bench.states() == ["C corrected", "C held"]
    async with engine.begin() as conn:
        await store.save(conn, LANE, {HIM: (before, bench.offender)})
        assert (await store.load(conn, [HIM]))[HIM] == bench.offender
    await engine.dispose()
