"""What people do, and what they are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.classification import Change, Tier
from schemas.commands import (
    AskHelp,
    Attend,
    ClaimNotification,
    Fail,
    Invite,
    LiftableHold,
    PlanDelivery,
    ReferHelp,
    Role,
    Serve,
)
from schemas.help import HelpKind
from schemas.notification import (
    CancelReason,
    FailureReason,
    HoldReason,
    NotificationHeld,
    NotificationServed,
    NotificationState,
    Proof,
)
from schemas.outreach import GateState
from services.notifier.domain import Wording
from tests.harness.hall import MEETING
from tests.harness.notices import HIM, OTHER_AGENCY, Bench, decision, expunction, gate, limited, withdrawal

HIS_AGENCY = "NC0410200"


def held(**more: Any) -> Bench:
    """One whose gate is clear, so that only what `more` asks for holds it."""
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1, **more), gate(1))
    bench.story()
    return bench


def released() -> Bench:
    bench = held()
    assert bench.notice.state is NotificationState.RELEASED
    return bench


def test_served_is_by_whom_when_and_how() -> None:
    bench = released()
    at = bench.now - timedelta(minutes=2)
    assert bench.serve(at=at) == "applied"
    said = bench.said[0]
    assert isinstance(said, NotificationServed)
    assert (said.by, said.served_at, said.proof) == ("some.officer", at, "signature")
    assert bench.serve() == "refused:already_served"
    assert bench.fail() == "refused:already_served"
    assert bench.cancel() == "refused:already_served"


def test_an_act_on_what_has_changed_since_it_was_seen() -> None:
    bench = released()
    seen = bench.notice.version
    assert bench.fail(expects=seen) == "applied"
    changed = bench.offender
    assert bench.serve(expects=seen) == bench.cancel(expects=seen) == "refused:stale"
    assert bench.offender is changed
    assert bench.serve(expects=bench.notice.version) == "applied"


def test_a_version_tells_nobody_why_a_notice_waits() -> None:
    versions = {
        replace(held().notice, reasons=reasons, tripped=bool(reasons)).version for reasons in ((), (*HoldReason,))
    }
    assert len(versions) == 1


def test_a_version_tells_nobody_that_a_hold_ended_nor_why_he_is_to_be_corrected() -> None:
    one = held(mutual=True).notice
    assert replace(one, asked_at=one.prepared_at + timedelta(minutes=1)).version == one.version
    assert len({replace(one, ended=reason).version for reason in (None, *CancelReason)}) == 1


def test_a_lift_is_a_change() -> None:
    bench = held(mutual=True)
    before = bench.notice.version
    bench.lift(LiftableHold.MUTUAL)
    assert bench.notice.version != before


def test_failed_may_be_tried_again() -> None:
    bench = released()
    assert bench.fail() == "applied"
    assert bench.fail() == "applied"
    assert bench.serve() == "applied"
    assert bench.story() == ["C failed (not_found)", "C failed (not_found)", "C served"]


def test_failed_is_not_given_while_the_gate_is_shut_and_goes_out_again_on_a_persons_word() -> None:
    bench = released()
    bench.fail()
    bench.put(gate(1, GateState.SHUT, version=2))
    assert bench.serve(at=bench.now + timedelta(minutes=1)) == "refused:not_released"
    bench.put(gate(1, version=3))
    assert bench.story() == ["C failed (not_found)"]
    assert bench.retry() == "applied"
    assert bench.story() == ["C released"]


def test_a_refusal_stays_one_whatever_is_tried_after_it() -> None:
    bench = released()
    bench.fail(reason=FailureReason.REFUSED)
    bench.wait(hours=1).heartbeat()
    assert bench.fail(reason=FailureReason.NOT_FOUND) == "applied"
    bench.wait(days=30).heartbeat()
    assert (bench.notice.state, bench.retry()) == (NotificationState.FAILED, "refused:refusal_needs_coordinator")
    assert bench.retry(Role.COORDINATOR) == "applied"
    bench.wait(minutes=1).heartbeat()
    bench.wait(minutes=1)
    assert (bench.fail(reason=FailureReason.NOT_FOUND), bench.retry()) == ("applied", "applied")


def _pair_come_and_gone(bench: Bench) -> None:
    bench.put(decision(2, change=Change.KEPT))
    bench.wait(minutes=5).heartbeat()
    bench.put(withdrawal(2, Tier.C, change=Change.KEPT))


def _hold_come_and_gone(bench: Bench) -> None:
    bench.put(decision(1, mutual=True, change=Change.KEPT))
    bench.wait(minutes=5).heartbeat()
    bench.put(decision(1, change=Change.KEPT))


@pytest.mark.parametrize("happens", [_pair_come_and_gone, _hold_come_and_gone])
def test_a_refusal_stays_one_whatever_else_comes_and_goes(happens: Callable[[Bench], None]) -> None:
    bench = released()
    bench.fail(reason=FailureReason.REFUSED)
    bench.wait(hours=1).heartbeat()
    bench.fail(reason=FailureReason.NOT_FOUND)
    bench.wait(minutes=5)
    happens(bench)
    bench.wait(days=30).heartbeat()
    bench.tick()
    assert (bench.notice.state, bench.retry()) == (NotificationState.FAILED, "refused:refusal_needs_coordinator")


def test_a_refusal_that_is_told_after_it_was_asked_for_again_is_one_too() -> None:
    bench = released()
    at = bench.wait(minutes=10).now
    bench.heartbeat()
    bench.wait(minutes=10).put(gate(1, GateState.SHUT, version=2))
    _pair_come_and_gone(bench)
    assert bench.fail(reason=FailureReason.REFUSED, attempted_at=at) == "applied"
    bench.fail(reason=FailureReason.NOT_FOUND, attempted_at=at)
    assert bench.retry() == "refused:refusal_needs_coordinator"


def test_nothing_is_served_that_was_not_released() -> None:
    bench = Bench()
    bench.put(decision(1))
    assert (bench.serve(), bench.fail()) == ("refused:not_released", "refused:not_released")


def test_what_was_given_before_it_was_taken_back_counts() -> None:
    bench = released()
    given_at = bench.wait(minutes=10).now
    bench.heartbeat()
    bench.wait(minutes=1).put(gate(1, GateState.SHUT, version=2))
    assert bench.serve(at=bench.now + timedelta(minutes=1)) == "refused:not_released"
    assert bench.serve(at=given_at) == "applied"


def test_what_was_given_before_it_was_taken_back_twice_counts() -> None:
    bench = released()
    given_at = bench.wait(minutes=10).now
    bench.put(gate(1, GateState.SHUT, version=2))
    bench.wait(minutes=1).heartbeat()
    bench.put(gate(1, version=3))
    assert bench.notice.state is NotificationState.RELEASED
    bench.wait(minutes=1).put(gate(1, GateState.SHUT, version=4))
    assert bench.serve(at=bench.now + timedelta(minutes=1)) == "refused:not_released"
    assert bench.serve(at=given_at) == "applied"


def test_what_was_given_before_it_was_to_be_tried_again_counts() -> None:
    bench = released()
    bench.fail()
    given_at = bench.wait(minutes=1).now
    bench.wait(seconds=30).retry()
    bench.put(gate(1, GateState.SHUT, version=2))
    assert bench.notice.state is NotificationState.HELD
    assert bench.serve(at=bench.now + timedelta(minutes=1)) == "refused:not_released"
    assert bench.serve(at=given_at) == "applied"


def test_nobody_serves_in_the_future() -> None:
    bench = released()
    assert bench.serve(at=bench.now + timedelta(minutes=6)) == "refused:served_in_the_future"
    assert bench.serve(at=bench.now + timedelta(minutes=4)) == "applied"


def test_no_officer_records_that_it_was_given_before_it_was_prepared() -> None:
    """A slip in the year would make a breach of notice of all that came after it."""
    bench = released()
    assert bench.serve(at=bench.now - timedelta(days=365)) == "refused:not_released"
    assert bench.serve(Role.COORDINATOR, at=bench.now - timedelta(days=365)) == "applied"


def test_a_cancelled_notice_is_over() -> None:
    bench = released()
    notice_id = bench.notice.notification_id
    assert bench.cancel() == "applied"
    assert bench.story() == ["C cancelled (by_person)"]
    assert bench.serve(at=bench.now + timedelta(seconds=1), notice_id=notice_id) == "refused:cancelled"


def test_a_visit_from_before_it_was_cancelled_is_recorded_all_the_same() -> None:
    bench = released()
    notice_id = bench.notice.notification_id
    visited = bench.wait(minutes=10).now
    bench.heartbeat()
    bench.wait(minutes=5).put(decision(2, Tier.B, change=Change.ESCALATED))
    bench.story()

    def fail(at: datetime | None) -> str:
        common: dict[str, Any] = {"offender_id": HIM, "notification_id": notice_id, "role": Role.OFFICER, "by": "o"}
        return bench.put(Fail(**common, reason=FailureReason.REFUSED, attempted_at=at)).result

    assert fail(bench.now + timedelta(minutes=1)) == "refused:cancelled"
    assert fail(visited) == "applied"
    assert bench.story() == ["C failed (refused)", "C cancelled (superseded)"]  # of whoever reads, the last word holds
    assert sorted(bench.states()) == ["B held", "C cancelled"]
    failed = bench.offender.notices[notice_id]
    assert ([one.at for one in failed.attempts], failed.due) == ([visited], None)
    assert bench.serve(at=visited, notice_id=notice_id) == "applied"  # refused at the door, and given after all
    assert fail(visited) == "refused:already_served"


def test_the_other_reasons_to_cancel_are_facts_and_no_persons_choice() -> None:
    assert released().cancel(reason=CancelReason.SUPERSEDED) == "refused:reason_not_a_persons"


def test_a_notice_nobody_knows() -> None:
    assert Bench().serve(notice_id="N-9") == "refused:unknown_notification"


@pytest.mark.parametrize("role", [Role.ADVOCATE, Role.OPERATOR, Role.OUTREACH_SUPERVISOR])
def test_roles_that_give_no_notices(role: Role) -> None:
    bench = released()
    before = bench.offender
    assert {bench.serve(role), bench.fail(role), bench.cancel(role)} == {"refused:role_missing"}
    assert bench.cancel(Role.OFFICER) == "refused:role_missing"
    assert bench.offender is before


@pytest.mark.parametrize(
    ("flag", "hold"),
    [("mutual", LiftableHold.MUTUAL), ("bulk", LiftableHold.BULK), ("conflict_of_interest", LiftableHold.CONFLICT)],
)
def test_a_coordinator_lifts(flag: str, hold: LiftableHold) -> None:
    bench = held(**{flag: True})
    assert bench.lift(hold, Role.OUTREACH_SUPERVISOR) == "refused:role_missing"
    assert bench.lift(hold, Role.OFFICER) == "refused:role_missing"
    assert bench.lift(hold) == "applied"
    assert [one.by for one in bench.said] == ["some.coordinator"]
    assert bench.story() == ["C released"]
    assert bench.lift(hold) == "refused:already_lifted"


def test_the_breaker_is_lifted_by_a_coordinator() -> None:
    bench = Bench(policy=limited(1))
    bench.counted = [("releases", bench.now)]
    bench.heartbeat()
    bench.put(decision(1), gate(1))
    assert bench.lift(LiftableHold.BREAKER) == "applied"
    assert bench.notice.state is NotificationState.RELEASED


def test_unannounced_takes_a_coordinator_and_an_outreach_supervisor() -> None:
    bench = held(tier=Tier.D, charged=False)
    assert bench.lift(LiftableHold.UNANNOUNCED, Role.OFFICER) == "refused:role_missing"
    assert bench.lift(LiftableHold.UNANNOUNCED) == "applied"
    assert bench.story() == ["D held (unannounced)"]
    assert bench.lift(LiftableHold.UNANNOUNCED, by="another.coordinator") == "refused:second_person_needed"
    assert bench.lift(LiftableHold.UNANNOUNCED, Role.OUTREACH_SUPERVISOR) == "applied"
    assert bench.story() == ["D released"]


def test_a_lift_after_which_it_is_worded_anew_is_told_once() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1, charged=False, offender_informed=None))
    bench.policy = replace(bench.policy, wordings=lambda _: Wording("c-mail-en@2", "0" * 64))
    bench.__post_init__()
    assert bench.lift(LiftableHold.UNANNOUNCED) == "applied"
    [held] = bench.recent
    assert isinstance(held, NotificationHeld)
    assert held.template == "c-mail-en@2"


def test_unannounced_takes_two_people_and_not_two_roles_of_one() -> None:
    bench = held(tier=Tier.D, charged=False)
    assert bench.lift(LiftableHold.UNANNOUNCED, by="m.ortiz") == "applied"
    assert (
        bench.lift(LiftableHold.UNANNOUNCED, Role.OUTREACH_SUPERVISOR, by="m.ortiz") == "refused:second_person_needed"
    )
    assert bench.notice.state is NotificationState.HELD


def test_no_person_lifts_the_gate() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1, mutual=True))
    assert bench.lift(LiftableHold.MUTUAL) == "applied"
    assert bench.notice.reasons == (HoldReason.GATE,)


def test_a_hold_that_is_not_there() -> None:
    assert released().lift(LiftableHold.BULK) == "refused:not_held"


def test_a_lift_is_for_the_pairs_that_were_there() -> None:
    bench = held(mutual=True)
    bench.lift(LiftableHold.MUTUAL)
    bench.put(decision(2, mutual=True, change=Change.KEPT), gate(2))
    assert bench.notice.reasons == (HoldReason.MUTUAL,)
    assert bench.lift(LiftableHold.MUTUAL) == "applied"
    assert bench.notice.state is NotificationState.RELEASED


def test_a_conflict_is_routed_anew_with_the_next_incident() -> None:
    bench = held(conflict_of_interest=True)
    bench.lift(LiftableHold.CONFLICT)
    assert (bench.notice.state, bench.notice.route) == (NotificationState.RELEASED, OTHER_AGENCY)
    bench.put(decision(2, conflict_of_interest=True, change=Change.KEPT, agency=OTHER_AGENCY), gate(2))
    assert bench.notice.reasons == (HoldReason.CONFLICT,)
    assert bench.lift(LiftableHold.CONFLICT) == "refused:same_agency"


def test_who_comes_to_a_call_in_by_another_agencys_hand_is_recorded_by_a_coordinator() -> None:
    bench = held(tier=Tier.B, conflict_of_interest=True)
    bench.lift(LiftableHold.CONFLICT)
    bench.wait(minutes=1).heartbeat()
    common: dict[str, Any] = {"offender_id": HIM, "notification_id": bench.notice.notification_id}
    common["call_in_id"] = MEETING
    bench.put(Invite(**common, asking=1, moved=False, starts_at=bench.now, venue="City Hall"))
    came = Attend(**common, by="m.ellison", role=Role.OFFICER, attended=True)
    assert bench.put(came).result == "refused:other_agency"
    assert bench.put(came.model_copy(update={"role": Role.COORDINATOR})).result == "applied"


@pytest.mark.parametrize("agency", [None, HIS_AGENCY, "NC0419900"])
def test_only_the_officer_it_was_lifted_to_deals_with_a_colleague(agency: str | None) -> None:
    bench = held(conflict_of_interest=True)
    bench.lift(LiftableHold.CONFLICT)
    act: dict[str, Any] = {"offender_id": HIM, "notification_id": bench.notice.notification_id, "by": "k.obi"}
    act |= {"role": Role.OFFICER, "by_agency": agency}
    given: dict[str, Any] = {"served_at": bench.now, "proof": Proof.SIGNATURE}
    before = bench.offender
    for command in (
        ClaimNotification(**act),
        Serve(**act, **given),
        Serve(**act, **given, served_by_agency=OTHER_AGENCY),
        Fail(**act, reason=FailureReason.NOT_FOUND),
        PlanDelivery(**act),
        AskHelp(**act, kind=HelpKind.HOUSING),
    ):
        assert bench.put(command).result == "refused:other_agency"
    assert bench.offender == before
    theirs = act | {"by_agency": OTHER_AGENCY}
    assert bench.put(Serve(**theirs, **given, served_by_agency=HIS_AGENCY)).result == "refused:other_agency"
    assert bench.put(Serve(**theirs, **given)).result == "applied"


def test_help_that_a_colleague_asked_for_is_not_his_agencys() -> None:
    bench = held(conflict_of_interest=True)
    common: dict[str, Any] = {"offender_id": HIM, "by": "k.obi", "role": Role.COORDINATOR}
    bench.put(AskHelp(**common, notification_id=bench.notice.notification_id, kind=HelpKind.HOUSING))
    [help_id] = bench.offender.helps
    officer = common | {"role": Role.OFFICER, "help_id": help_id, "by_agency": HIS_AGENCY}
    assert bench.put(ReferHelp(**officer, provider="Open Door")).result == "refused:other_agency"


@pytest.mark.parametrize("colleague", [False, True])
def test_help_outlives_the_notice_of_an_expunged_incident(colleague: bool) -> None:
    bench = held(conflict_of_interest=colleague)
    common: dict[str, Any] = {"offender_id": HIM, "by": "k.obi", "role": Role.COORDINATOR}
    bench.put(AskHelp(**common, notification_id=bench.notice.notification_id, kind=HelpKind.HOUSING))
    bench.put(decision(2, Tier.C, change=Change.KEPT, conflict_of_interest=colleague), expunction(1, Tier.C))
    [help_id] = bench.offender.helps
    officer = common | {"role": Role.OFFICER, "help_id": help_id}
    result = bench.put(ReferHelp(**officer, provider="Open Door")).result
    assert result == ("refused:other_agency" if colleague else "applied")


def test_what_the_credential_says_of_the_agency_the_form_does_not_overrule() -> None:
    """Also of who is nobody's colleague; without an agency there the form's is as good as none."""
    bench = released()
    act: dict[str, Any] = {"offender_id": HIM, "notification_id": bench.notice.notification_id, "by": "k.obi"}
    served = Serve(**act, role=Role.OFFICER, served_at=bench.now, proof=Proof.SIGNATURE, served_by_agency=OTHER_AGENCY)
    assert bench.put(served.model_copy(update={"by_agency": HIS_AGENCY})).result == "refused:other_agency"
    assert bench.put(served).result == "applied"


def test_the_agency_it_was_lifted_to_is_out_once_it_reports_him_too() -> None:
    bench = held(conflict_of_interest=True)
    bench.lift(LiftableHold.CONFLICT)
    bench.put(decision(2, conflict_of_interest=True, change=Change.KEPT, agency=OTHER_AGENCY), gate(2))
    assert not bench.offender.is_for(bench.notice, OTHER_AGENCY)


def test_a_colleague_stays_one_when_nothing_of_his_is_open_any_more() -> None:
    bench = held(conflict_of_interest=True)
    bench.put(withdrawal(1, None))
    assert not bench.offender.open_pairs
    assert bench.offender.conflict


def test_of_one_that_failed_no_hold_is_lifted_before_it_is_tried_again() -> None:
    bench = released()
    bench.fail()
    bench.put(decision(1, mutual=True, change=Change.KEPT))
    bench.story()
    assert bench.lift(LiftableHold.MUTUAL) == "refused:not_held"
    assert (bench.story(), bench.retry()) == ([], "applied")
    assert bench.notice.reasons == (HoldReason.MUTUAL,)
    assert bench.lift(LiftableHold.MUTUAL) == "applied"


def test_a_lift_is_not_inherited_by_the_next_notice() -> None:
    bench = held(conflict_of_interest=True)
    bench.lift(LiftableHold.CONFLICT)
    bench.put(decision(2, conflict_of_interest=True, change=Change.KEPT), withdrawal(1, Tier.C), gate(2))
    assert bench.notice.reasons == (HoldReason.CONFLICT,)
