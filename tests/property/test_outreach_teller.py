"""Whatever comes first, in whichever lane: in the end each lane knows of a woman what a page over all of them shows."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.advocacy import ChannelSafety, ContactSafety, LinkVictims, RecordSafeContact, UnlinkVictims
from schemas.commands import Role
from schemas.outreach import AttemptOutcome, ContactChannel, TaskKind
from services.victim_outreach.domain import Attempt, Profile
from services.victim_outreach.rules import NOT_SHE
from services.victim_outreach.store import women
from tests.harness.lanes import Lanes, ids, lanes, referred, renamed, taken_back

OFFENDERS = st.sampled_from(["O-1", "O-2", "O-3"])
WOMEN = st.sampled_from(["V-1", "V-2", "V-3"])
INCIDENTS = st.integers(1, 3)
CALL = ContactChannel.CALL
STEPS = st.one_of(
    st.tuples(st.just("referred"), OFFENDERS, INCIDENTS, WOMEN),
    st.tuples(st.just("referred"), OFFENDERS, INCIDENTS, WOMEN | st.none()),
    st.tuples(st.just("renamed"), OFFENDERS, INCIDENTS, WOMEN | st.none()),
    st.tuples(st.just("taken back"), OFFENDERS, INCIDENTS),
    st.tuples(st.just("moved"), OFFENDERS, INCIDENTS, OFFENDERS),
    st.tuples(st.just("says"), OFFENDERS, INCIDENTS, st.sampled_from(ContactSafety)),
    st.tuples(st.just("says"), OFFENDERS, INCIDENTS, st.sampled_from(ContactSafety)),
    st.tuples(st.just("tried"), OFFENDERS, INCIDENTS),
    st.tuples(st.just("linked"), OFFENDERS, WOMEN, WOMEN, st.lists(OFFENDERS, max_size=2)),
    st.tuples(st.just("parted"), OFFENDERS, WOMEN, WOMEN, st.lists(OFFENDERS, max_size=2)),
    st.just(("tell",)),
    st.just(("hear",)),
)


async def act(county: Lanes, step: tuple[Any, ...]) -> None:
    verb, *rest = step
    if verb in ("tell", "hear"):
        await county.keep()
        await (county.tell() if verb == "tell" else county.hear())
        return
    him, *what = rest
    bench = county.of(him)
    person: dict[str, Any] = {"offender_id": him, "by": "ada", "role": Role.ADVOCATE}
    if verb in ("linked", "parted"):
        one, other, also = what
        model = LinkVictims if verb == "linked" else UnlinkVictims
        county.put(him, model(**person, victim_id=one, other_victim_id=other, also=also))
        county.relay()
        return
    number, *more = what
    known = bench.file.referrals.get(ids(him, number)["referral_id"])
    match verb:
        case "referred":
            county.put(him, referred(him, number, *more))
        case "renamed" if known:
            county.put(him, renamed(him, number, *more))
        case "taken back":
            county.put(him, taken_back(him, number))
        case "moved" if known and known.live and more[0] != him:
            county.put(him, taken_back(him, number, moved_to=more[0]))
            county.relay()
            county.put(more[0], referred(more[0], number, known.victim_id))
        case "says" if known:
            said = [ChannelSafety(channel=CALL, safety=more[0])]
            county.put(him, RecordSafeContact(**person, case_id=known.case_id, channels=said))
        case "tried" if known and known.live:
            kind = TaskKind.IDENTIFY_VICTIM if known.victim_id is None else TaskKind.CALL
            if bench.open_kinds().count(kind) == 1:
                bench.claim(kind)
                bench.attempt(kind, AttemptOutcome.WRONG_CONTACT)


def said(profiles: list[Profile]) -> set[Any]:
    return {(one.owner, one.recorded_at, tuple(map(tuple, one.channels)), one.no_contact) for one in profiles}


def vain(attempts: Any) -> set[tuple[str, int]]:
    found: list[Attempt] = [one for one in attempts if one.outcome in NOT_SHE]
    return {(one.task_id, one.number) for one in found}


async def play(steps: list[tuple[Any, ...]]) -> None:
    async with lanes() as county:
        for step in steps:
            await act(county, step)
        await county.settle()
        async with county.database.read() as conn:
            for him, bench in county.benches.items():
                for referral in bench.file.live_referrals:
                    woman = await women.woman_of(conn, referral.case_id)
                    here = bench.file.profiles_of(referral.case_id)
                    assert said(here) == said(await women.profiles_of(conn, woman)), him
                    tries = bench.file.tries_of(referral.case_id)
                    assert vain(tries) == vain(await women.attempts_of(conn, woman)), him
                    if referral.victim_id is None:
                        continue
                    same = {one.case_id for one in bench.file.live_referrals if one.victim_id in woman.victim_ids}
                    assert same == {referral.case_id}


@settings(max_examples=20, deadline=None)
@given(st.lists(STEPS, min_size=4, max_size=25))
def test_in_the_end_a_lane_knows_what_a_page_shows(steps: list[tuple[Any, ...]]) -> None:
    asyncio.run(play(steps))
