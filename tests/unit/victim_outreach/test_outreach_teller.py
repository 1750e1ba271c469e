"""What is known of one woman holds with every offender who has her, whatever came first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Table, select

from schemas.advocacy import (
    ChannelSafety,
    ContactSafety,
    LinkCommand,
    LinkVictims,
    RecordSafeContact,
    UnlinkVictims,
)
from schemas.commands import Role
from schemas.outreach import AttemptOutcome, ContactChannel, TaskCancelReason, TaskKind, TaskOwner
from schemas.referral import ReferralOutreach
from services.victim_outreach.rules import safe_contact
from services.victim_outreach.store import Sight, shown_case, women
from services.victim_outreach.store.tables import told_attempts, told_profiles
from services.victim_outreach.teller import Teller
from tests.harness.lanes import Lanes, ids, lanes, referred, renamed, taken_back
from tests.harness.outreach import ADDRESS, Bench, incident, released

CALL, TEXT = ContactChannel.CALL, ContactChannel.TEXT
ONE, OTHER, THIRD = "O-1", "O-2", "O-3"
UNSAFE = [channel for channel in ContactChannel if channel not in (ContactChannel.HOSPITAL, ContactChannel.COURT)]


@pytest.fixture
async def county() -> AsyncIterator[Lanes]:
    async with lanes() as made:
        yield made


def says(
    county: Lanes,
    offender_id: str,
    number: int = 1,
    *,
    safe: Any = (),
    unsafe: Any = (),
    role: Role = Role.ADVOCATE,
    **more: Any,
) -> None:
    """What she tells an advocate in her case with this offender."""
    said = [ChannelSafety(channel=one, safety=ContactSafety.SAFE, address=ADDRESS[one]) for one in safe]
    said += [ChannelSafety(channel=one, safety=ContactSafety.UNSAFE) for one in unsafe]
    case_id = county.case(offender_id, number)
    command = RecordSafeContact(offender_id=offender_id, by="ada", role=role, case_id=case_id, channels=said, **more)
    assert county.put(offender_id, command) == "applied"


def link(county: Lanes, offender_id: str, one: str, other: str, model: type[LinkCommand] = LinkVictims) -> None:
    command = model(
        offender_id=offender_id, by="ada", role=Role.ADVOCATE, victim_id=one, other_victim_id=other, also=[]
    )
    assert county.put(offender_id, command) == "applied"


def known(bench: Bench, case_id: str) -> Any:
    """How she may be reached, as the lane sees it."""
    return safe_contact(bench.file.profiles_of(case_id), bench.file.tries_of(case_id), bench.now)


async def rows(county: Lanes, table: Table) -> Any:
    async with county.database.read() as conn:
        return (await conn.execute(select(table))).all()


async def test_she_is_left_in_peace_with_one_who_came_later(county: Lanes) -> None:
    county.put(ONE, referred(ONE, 1, "V-1"))
    says(county, ONE, no_contact=True)
    await county.settle()
    county.put(OTHER, referred(OTHER, 2, "V-1"))
    bench = county.of(OTHER)
    assert TaskKind.CALL in bench.open_kinds()
    await county.settle()
    assert bench.open_kinds() == [TaskKind.WRITTEN_INFORMATION]
    ended = {task.cancel_reason for task in bench.file.tasks.values() if task.kind is TaskKind.CALL}
    assert ended == {TaskCancelReason.NO_CONTACT}
    county.put(THIRD, referred(THIRD, 3, "V-2"))
    says(county, THIRD, 3, role=Role.COMMUNITY_ADVOCATE, no_contact=True)
    county.put(OTHER, referred(OTHER, 4, "V-2"))
    await county.settle()
    told = {
        (task.owner is TaskOwner.COMMUNITY_ADVOCATE, task.cancel_reason)
        for task in bench.file.tasks.values()
        if task.victim_id == "V-2" and not task.unfinished
    }
    assert told <= {(True, TaskCancelReason.NO_CONTACT), (False, TaskCancelReason.SUPERSEDED)}, "not theirs to know"
    assert (False, TaskCancelReason.SUPERSEDED) in told


async def test_what_she_says_later_is_told_to_who_has_her_already(county: Lanes) -> None:
    county.put(ONE, referred(ONE, 1, "V-1"))
    county.put(OTHER, referred(OTHER, 2, "V-1"))
    await county.settle()
    case, bench = county.case(OTHER, 2), county.of(OTHER)
    says(county, ONE, safe=[TEXT], unsafe=[CALL])
    await county.settle()
    assert (known(bench, case).is_open(TEXT), known(bench, case).is_open(CALL)) == (True, False)
    says(county, ONE, safe=[CALL])  # asked anew, and whole
    await county.settle()
    assert (known(bench, case).is_open(TEXT), known(bench, case).is_open(CALL)) == (False, True)
    says(county, OTHER, 2, unsafe=[CALL])  # and of two the stricter, in both
    await county.settle()
    assert not known(bench, case).is_open(CALL)
    assert not known(county.of(ONE), county.case(ONE, 1)).is_open(CALL)


async def test_no_task_before_a_visit_where_no_way_to_her_is_safe(county: Lanes) -> None:
    county.put(ONE, referred(ONE, 1, "V-1"))
    says(county, ONE, unsafe=UNSAFE)
    county.put(OTHER, referred(OTHER, 2, "V-1"))
    await county.settle()
    county.put(OTHER, released(2).model_copy(update={"pair_id": ids(OTHER, 2)["pair_id"], "offender_id": OTHER}))
    assert TaskKind.BEFORE_DELIVERY not in county.of(OTHER).open_kinds()


async def test_a_wrong_number_there_is_a_wrong_number_here(county: Lanes) -> None:
    county.put(ONE, referred(ONE, 1, "V-1"))
    county.put(OTHER, referred(OTHER, 2, "V-1"))
    bench = county.of(ONE)
    assert bench.claim(TaskKind.CALL) == "applied"
    assert bench.attempt(outcome=AttemptOutcome.OTHER_PERSON) == "applied"
    await county.settle()
    other, case = county.of(OTHER), county.case(OTHER, 2)
    assert not known(other, case).is_open(CALL)
    assert other.file.attempts == {}, "he waits for what was done on his account"
    says(county, OTHER, 2, safe=[CALL])
    await county.settle()
    assert known(other, case).is_open(CALL)


async def test_a_wrong_number_from_before_she_was_named_is_one_with_the_others_and_on_pages(county: Lanes) -> None:
    county.put(OTHER, referred(OTHER, 2, "V-1"))
    county.put(ONE, referred(ONE, 1, None))
    bench = county.of(ONE)
    bench.claim(TaskKind.IDENTIFY_VICTIM)
    bench.attempt(TaskKind.IDENTIFY_VICTIM, AttemptOutcome.WRONG_CONTACT)
    county.put(ONE, renamed(ONE, 1, "V-1"))
    await county.settle()
    assert not known(county.of(OTHER), county.case(OTHER, 2)).is_open(CALL)
    async with county.database.read() as conn:
        for him, number in ((ONE, 1), (OTHER, 2)):
            woman = await women.woman_of(conn, county.case(him, number))
            assert [one.outcome for one in await women.attempts_of(conn, woman)] == [AttemptOutcome.WRONG_CONTACT]
            shown = await shown_case(
                conn, county.case(him, number), Sight(frozenset(TaskOwner), False, advocate=True), bench.now
            )
            assert shown is not None
            assert [one.use for one in shown.safe_contact.channels if one.channel == CALL] == ["shut"]
    county.put(ONE, taken_back(ONE, 1, moved_to=THIRD))
    county.put(THIRD, referred(THIRD, 1, "V-1"))
    await county.settle()
    assert not known(county.of(OTHER), county.case(OTHER, 2)).is_open(CALL)


async def test_a_link_made_before_he_had_her_is_one_case_with_him(county: Lanes) -> None:
    county.put(ONE, referred(ONE, 1, "V-1"))
    link(county, ONE, "V-1", "V-2")
    says(county, ONE, unsafe=[CALL])
    await county.settle()
    county.put(OTHER, referred(OTHER, 2, "V-2"))
    await county.settle()
    assert not known(county.of(OTHER), county.case(OTHER, 2)).is_open(CALL)
    county.put(OTHER, referred(OTHER, 3, "V-1"))
    await county.settle()
    assert county.case(OTHER, 2) == county.case(OTHER, 3)
    assert county.of(OTHER).open_kinds().count(TaskKind.CALL) == 1


async def test_links_reach_through_an_id_that_he_has_not(county: Lanes) -> None:
    county.put(ONE, referred(ONE, 1, "V-1"))
    link(county, ONE, "V-1", "V-2")
    county.put(THIRD, referred(THIRD, 3, "V-3"))
    link(county, THIRD, "V-2", "V-3")
    says(county, ONE, no_contact=True)
    await county.settle()
    assert county.of(THIRD).open_kinds() == [TaskKind.WRITTEN_INFORMATION]


async def test_a_link_taken_back_ends_wherever_it_was_told(county: Lanes) -> None:
    county.put(ONE, referred(ONE, 1, "V-1"))
    says(county, ONE, no_contact=True)
    link(county, ONE, "V-1", "V-2")
    await county.settle()
    county.put(OTHER, referred(OTHER, 2, "V-2"))
    await county.settle()
    assert TaskKind.CALL not in county.of(OTHER).open_kinds()
    link(county, ONE, "V-1", "V-2", UnlinkVictims)
    await county.settle()
    assert TaskKind.CALL in county.of(OTHER).open_kinds()
    assert await rows(county, told_profiles) == []
    assert not any(link.holds for each in (ONE, OTHER) for link in county.of(each).file.links.values())
    link(county, OTHER, "V-1", "V-2")  # said again, by another
    await county.settle()
    assert TaskKind.CALL not in county.of(OTHER).open_kinds()
    assert all(link.holds for each in (ONE, OTHER) for link in county.of(each).file.links.values())


async def test_what_was_told_does_not_outlive_what_it_was_taken_from(county: Lanes) -> None:
    county.put(ONE, referred(ONE, 1, "V-1"))
    says(county, ONE, unsafe=[CALL], instructions="Ask for Ana")
    bench = county.of(ONE)
    bench.claim(TaskKind.CALL)
    bench.attempt(outcome=AttemptOutcome.WRONG_CONTACT)
    county.put(OTHER, referred(OTHER, 2, "V-1"))
    await county.settle()
    assert (len(await rows(county, told_profiles)), len(await rows(county, told_attempts))) == (1, 1)
    county.put(ONE, renamed(ONE, 1, "V-9"))
    await county.settle()
    assert await rows(county, told_profiles) == await rows(county, told_attempts) == []
    assert known(county.of(OTHER), county.case(OTHER, 2)).is_open(CALL)


async def test_nothing_told_names_the_other_offender_or_what_happened(county: Lanes) -> None:
    """So that an expunction there leaves nothing to erase here."""
    county.put(ONE, referred(ONE, 1, "V-1"))
    says(county, ONE, unsafe=[CALL])
    county.put(OTHER, referred(OTHER, 2, "V-1"))
    await county.settle()
    names = (ONE, incident(1), *ids(ONE, 1).values())
    said = " ".join(one.model_dump_json() for one in county.heard if one.offender_id == OTHER)
    there = repr([tuple(row) for row in await rows(county, told_profiles)])
    assert said
    assert not any(f'"{name}"' in said or f"'{name}'" in there for name in names)
    county.put(ONE, taken_back(ONE, 1, expunged=True))
    await county.settle()  # what she said is hers, and holds
    assert not known(county.of(OTHER), county.case(OTHER, 2)).is_open(CALL)


async def test_where_nothing_more_is_to_be_done_nothing_is_kept(county: Lanes) -> None:
    county.put(ONE, referred(ONE, 1, "V-1"))
    says(county, ONE, unsafe=[CALL])
    county.put(OTHER, referred(OTHER, 2, "V-1"))
    await county.settle()
    county.put(OTHER, taken_back(OTHER, 2))
    await county.settle()
    assert await rows(county, told_profiles) == []
    county.put(OTHER, referred(OTHER, 2, "V-1"))  # opened again: the same is told again
    await county.settle()
    assert len(await rows(county, told_profiles)) == 1


async def test_one_woman_alone_is_no_news_for_anybody_and_a_listed_one_is_none(county: Lanes) -> None:
    county.put(ONE, referred(ONE, 1, "V-1"), referred(ONE, 2, "V-2"))
    says(county, ONE, no_contact=True)
    county.put(OTHER, referred(OTHER, 3, "V-3"))
    await county.settle()
    assert county.heard == []
    county.put(OTHER, referred(OTHER, 4, "V-1", outreach=ReferralOutreach.LISTED))
    await county.keep()
    assert await county.news() == []
    county.put(OTHER, referred(OTHER, 4, "V-1"))
    await county.settle()
    assert [one.offender_id for one in county.heard] == [OTHER]


async def test_a_teller_that_stops_after_it_spoke_says_it_again_to_no_effect(county: Lanes) -> None:
    county.put(ONE, referred(ONE, 1, "V-1"))
    says(county, ONE, no_contact=True)
    county.put(OTHER, referred(OTHER, 2, "V-1"))
    await county.keep()

    class Stops(Exception):  # noqa: N818
        pass

    class Log:
        async def report(self, *told: Any, **more: Any) -> None:
            await county.report(*told, **more)
            raise Stops

    with pytest.raises(Stops):
        await Teller().round(county.database, Log())
    assert await county.news()
    await county.tell()
    first, second = county.heard
    assert first == second
    assert len(county.waiting) == 1, "one event"


async def test_what_an_older_look_says_last_is_set_right(county: Lanes) -> None:
    county.put(ONE, referred(ONE, 1, "V-1"))
    county.put(OTHER, referred(OTHER, 2, "V-1"))
    says(county, ONE, unsafe=[CALL])
    await county.keep()
    await county.tell()
    late, county.waiting = county.waiting, {}
    says(county, ONE, safe=[CALL], unsafe=[TEXT])
    await county.settle()
    county.waiting = late  # of a replica that stood still
    await county.hear()
    await county.settle()
    assert known(county.of(OTHER), county.case(OTHER, 2)).is_open(CALL)


async def test_his_records_merged_she_is_asked_anew_and_what_stayed_behind_holds_no_more(county: Lanes) -> None:
    county.put(ONE, referred(ONE, 1, "V-1"))
    says(county, ONE, unsafe=[CALL])
    county.put(THIRD, referred(THIRD, 3, "V-1"))
    await county.settle()
    county.put(ONE, taken_back(ONE, 1, moved_to=OTHER))
    county.put(OTHER, referred(OTHER, 1, "V-1"))
    await county.settle()
    for offender, number in ((OTHER, 1), (THIRD, 3)):
        assert not known(county.of(offender), county.case(offender, number)).is_open(CALL)
    says(county, OTHER, safe=[CALL])
    await county.settle()
    for offender, number in ((OTHER, 1), (THIRD, 3)):
        case = county.case(offender, number)
        assert known(county.of(offender), case).is_open(CALL)
        async with county.database.read() as conn:
            woman = await women.woman_of(conn, case)
            assert {one.no_contact for one in await women.profiles_of(conn, woman)} == {False}
            assert len(await women.profiles_of(conn, woman)) == 1


async def test_a_link_that_comes_with_his_merged_record_makes_one_case(county: Lanes) -> None:
    county.put(ONE, referred(ONE, 1, "V-1"))
    link(county, ONE, "V-1", "V-2")
    county.put(OTHER, referred(OTHER, 2, "V-2"), referred(OTHER, 1, "V-1"))
    assert county.case(OTHER, 1) != county.case(OTHER, 2)
    county.put(ONE, taken_back(ONE, 1, moved_to=OTHER))
    county.relay()  # the hand-over alone, without the teller
    assert county.case(OTHER, 1) == county.case(OTHER, 2)
    assert county.of(OTHER).open_kinds().count(TaskKind.CALL) == 1
