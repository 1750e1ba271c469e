"""How victim outreach's store behaves, whatever the database: a class of tests for each to inherit."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.advocacy import (
    Answer,
    ChannelSafety,
    ConsentRecipient,
    ConsentScope,
    ContactSafety,
    GiveConsent,
    Hear,
    RecordSafeContact,
    RecordScreen,
    SafeHours,
    UnlinkVictims,
)
from schemas.calendar import Weekday
from schemas.classification import Tier
from schemas.commands import Role
from schemas.envelope import Data, pair_id, referral_id
from schemas.outreach import AttemptOutcome, ContactChannel, TaskKind, TaskOwner, TaskState
from schemas.person import DescribedVictim
from services.common.paging import Page
from services.victim_outreach.domain import CaseFile
from services.victim_outreach.rules import QUESTIONS, Cause
from services.victim_outreach.rules.measures import Quarter, Story, tables
from services.victim_outreach.store import (
    OutreachStore,
    Sight,
    Sought,
    TaskLine,
    Wanted,
    candidates,
    case_list,
    case_of,
    consent_at,
    elsewhere,
    found_cases,
    measures,
    news,
    offender_of_pair,
    offenders_of,
    on_the_other_side,
    outbox,
    queue,
    shown_case,
    shown_task,
    task_of,
    woman_of,
    words_of,
)
from services.victim_outreach.store.candidates import Likeness
from services.victim_outreach.store.finding import MOST
from services.victim_outreach.store.tables import metadata, referrals, sends, tasks, victims
from tests.harness.outreach import (
    HIM,
    LANE,
    START,
    Bench,
    amended,
    asked,
    custody,
    described,
    failed,
    incident,
    listed,
    opened,
    pair,
    planned,
    ref,
    released,
    served,
    withdrawn,
)

STORE = OutreachStore()
EVERYONE = frozenset(TaskOwner)
POLICE = frozenset({TaskOwner.AGENCY})
ADVOCACY = ("cases", "profiles", "screens", "consents", "links", "messages")
TOLD = ("told_profiles", "told_attempts")
HOME = "12 Elm St"
TO_POLICE: dict[str, Any] = {
    "scope": ConsentScope.SAFE_CONTACT,
    "recipient": ConsentRecipient.AGENCY,
    "named": "police",
    "signed": True,
}
CARD = "PO Box 9"
TRIED_AT = START - timedelta(hours=1)
FORBIDDEN = ChannelSafety(channel=ContactChannel.CALL, safety=ContactSafety.UNSAFE)


def her(place: int = 1, *contact: str, **more: Any) -> DescribedVictim:
    return DescribedVictim(
        victim_no=place, incident_id=incident(1), **({"victim_id": "V-1"} | more), contact=list(contact)
    )


def merged_after_information(*more: Data) -> tuple[Bench, Bench]:
    """She had written information from the agency; then his record was merged into another's, or it was that one who did it."""
    bench, there = Bench(), Bench(file=CaseFile("O-2"))
    bench.put(opened())
    bench.claim(TaskKind.WRITTEN_INFORMATION)
    bench.complete(TaskKind.WRITTEN_INFORMATION)
    bench.put(*more, withdrawn().model_copy(update={"moved_to": "O-2"}))
    return bench, there


def of_the_other(there: Bench, **more: Any) -> Data:
    his = pair_id(incident(1), there.file.offender_id)
    return opened(offender_id=there.file.offender_id, pair_id=his, referral_id=referral_id(his, 1), **more)


def full() -> Bench:
    """An offender with one of everything."""
    bench = Bench()
    bench.put(described(her(1, HOME, "+1 336 555 0100", name="No Body", language="es", lethality_screen="high")))
    bench.put(custody("J-0", released_at=START, hearing_at=START), custody("J-1", hearing_at=START))
    bench.put(opened(1, tier=Tier.D), opened(1, 2, None), asked(2, tier=None), opened(3, victim_id="V-3"))
    bench.claim(TaskKind.WRITTEN_INFORMATION, number=1)
    bench.attempt(TaskKind.WRITTEN_INFORMATION, number=1)
    bench.annul(TaskKind.WRITTEN_INFORMATION, of=1)
    bench.reach(1)
    bench.safe(ContactChannel.TEXT, hours=[SafeHours(days=list(Weekday), start="00:00", end="23:59")])
    bench.send(incident=1)
    bench.advise(RecordScreen, answers=[Answer.NO] * QUESTIONS)
    bench.advise(
        GiveConsent,
        consent_id="C-1",
        scope=ConsentScope.TASK_PROGRESS,
        recipient=ConsentRecipient.PROSECUTOR,
        named="The prosecutor",
        until=bench.now + timedelta(days=30),
        signed=True,
    )
    bench.link(one="V-1", other="V-9")
    bench.put(amended(1, tier=Tier.B), withdrawn(3), released(1), served(1))
    bench.hold("H-1")
    bench.lift("H-1")
    bench.hold("H-2")
    bench.override("cora")
    bench.put(_heard(bench.file))
    bench.wait(hours=30).tick()
    return bench


def _heard(file: CaseFile) -> Hear:
    """What another lane keeps of one of his victims."""
    there = {"from_case_id": "case-9", "victim_id": "V-9"}
    [profile], attempt = file.profiles.values(), next(iter(file.attempts.values()))
    kept = {
        "profiles": [asdict(profile) | there],
        "attempts": [asdict(attempt) | there | {"task_id": "task-9", "outcome": AttemptOutcome.OTHER_PERSON}],
    }
    return Hear(offender_id=HIM, victim_ids=["V-9"], kept=kept)


async def keep(conn: AsyncConnection, after: CaseFile, before: CaseFile | None = None) -> CaseFile:
    """Saved and read again."""
    await STORE.save(conn, LANE, {after.offender_id: (before or STORE.new(after.offender_id), after)})
    return (await STORE.load(conn, [after.offender_id]))[after.offender_id]


NUMBER = Sought(way="3365550142")


def named(name: str, birth_date: date) -> Sought:
    return Sought(words=words_of(name), birth_date=birth_date)


async def found_by(
    conn: AsyncConnection, sought: Sought, owners: frozenset[TaskOwner] = EVERYONE, days: int = 0
) -> list[str]:
    found = await found_cases(conn, sought, owners, START + timedelta(days=days))
    assert found == sorted(found, key=lambda one: (one.opened_at, one.case_id))
    return sorted(one.case_id for one in found)


async def shown_line(conn: AsyncConnection, task_id: str) -> TaskLine:
    found = await shown_task(conn, task_id, EVERYONE)
    assert found is not None
    return found


class OutreachStoreBehaviour:
    """Needs a fixture `conn`: a connection in a transaction, to a database with outreach's tables and no rows."""

    async def test_a_state_is_read_as_it_was_saved(self, conn: AsyncConnection) -> None:
        file = full().file
        assert all(getattr(file, field.name) for field in fields(file))
        assert await keep(conn, file) == file

    async def test_every_column_is_a_field_of_what_it_keeps(self, conn: AsyncConnection) -> None:
        """So that what the domain gains is not silently forgotten."""
        file = full().file
        for name in (
            "referrals",
            "tasks",
            "attempts",
            "annulled_attempts",
            "gates",
            "holds",
            "overrides",
            "deliveries",
            "victims",
            *ADVOCACY,
            *TOLD,
        ):
            [entry, *_] = getattr(file, name).values()
            table = metadata.tables[name]
            kept = {column.name for column in table.columns} - {"offender_id", "lane"}
            assert kept == {field.name for field in fields(entry)}

    async def test_each_difference_is_saved(self, conn: AsyncConnection) -> None:
        bench = Bench()
        before = bench.file
        for records in (
            [described(her(1, name="No Body"), her(2, victim_id="V-2"))],
            [opened(1), opened(1, 2, "V-2")],
            [described(her(1, name="Some Body"))],
            [withdrawn(1, 2)],
            [custody()],
            [custody(released_at=START)],
            [custody()],
            [described()],
        ):
            bench.put(*records)
            assert await keep(conn, bench.file, before) == bench.file
            before = bench.file
        assert await conn.scalar(select(func.count()).select_from(victims)) == 0

    async def test_what_has_not_changed_is_not_written(self, conn: AsyncConnection) -> None:
        file = full().file
        await keep(conn, file)
        for table in reversed(metadata.sorted_tables):
            if table.name != "offenders":
                await conn.execute(table.delete())
        assert await keep(conn, replace(file, wake_at=START), file) == CaseFile(
            HIM, custody=file.custody, release=file.release, wake_at=START
        )

    async def test_only_what_was_asked_for_and_is_there_is_loaded(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(opened())
        await keep(conn, bench.file)
        await keep(conn, replace(bench.file, offender_id="O-2"))
        assert await STORE.load(conn, ["O-9"]) == {}
        assert await STORE.load(conn, []) == {}
        assert set(await STORE.load(conn, [f"O-{number}" for number in range(2, 1_300)])) == {"O-2"}

    async def test_due_are_those_for_whom_the_clock_has_work(self, conn: AsyncConnection) -> None:
        for hours in (3, 1, 2):
            await keep(conn, CaseFile(f"O-{hours}", wake_at=START + timedelta(hours=hours)))
        await keep(conn, CaseFile("O-0"))
        assert await STORE.due(conn, LANE, START) == []
        assert await STORE.due(conn, LANE, START + timedelta(hours=2)) == ["O-1", "O-2"]
        assert await STORE.due(conn, LANE + 1, START + timedelta(hours=9)) == []

    # what people are shown

    async def test_a_queue_is_what_is_not_done_soonest_first(self, conn: AsyncConnection) -> None:
        bench = full()
        await keep(conn, bench.file)
        shown = (await queue(conn, EVERYONE, Page())).items
        expected = sorted(bench.file.unfinished_tasks(), key=lambda task: (task.due_at, task.task_id))
        assert [line.task_id for line in shown] == [task.task_id for task in expected]
        assert {line.owner for line in (await queue(conn, POLICE, Page())).items} == POLICE
        assert {line.claimed_by for line in (await queue(conn, EVERYONE, Page(), Wanted("ada"))).items} == {"ada"}
        assert not (await queue(conn, frozenset(), Page())).items

    async def test_pages_follow_on_each_other(self, conn: AsyncConnection) -> None:
        await keep(conn, full().file)
        whole = await queue(conn, EVERYONE, Page())
        page = await queue(conn, EVERYONE, Page(2))
        paged = list(page.items)
        while page.next:
            page = await queue(conn, EVERYONE, Page(2, page.next))
            paged += page.items
        assert (paged, whole.next) == (whole.items, None)

    async def test_a_tasks_version_is_that_of_the_lanes_own(self, conn: AsyncConnection) -> None:
        bench = full()
        await keep(conn, bench.file)
        for line in (await queue(conn, EVERYONE, Page())).items:
            assert line.version == bench.file.tasks[line.task_id].version
            assert line == await shown_task(conn, line.task_id, EVERYONE)
            assert await shown_task(conn, line.task_id, frozenset()) is None

    async def test_a_task_that_he_causes_says_when_and_what_came_of_it(self, conn: AsyncConnection) -> None:
        """On the line and on the page of the case, to whoever may see the task; of an incident's own it says nothing."""
        day = START + timedelta(days=3)
        bench = Bench()
        bench.put(opened(), planned(day), custody("J-1", facility="County jail", released_at=START))
        await keep(conn, bench.file)
        line = await shown_line(conn, bench.task(TaskKind.BEFORE_DELIVERY).task_id)
        assert (line.planned_from, line.planned_until, line.visited_at) == (day, day + timedelta(hours=4), None)
        line = await shown_line(conn, bench.task(TaskKind.CUSTODY_RELEASE).task_id)
        assert (line.released_at, line.facility, line.planned_from) == (START, "County jail", None)
        line = await shown_line(conn, bench.task(TaskKind.CALL).task_id)
        assert {getattr(line, field.name) for field in fields(Cause)} == {None}
        before = bench.file
        bench.put(failed().model_copy(update={"attempted_at": TRIED_AT}), served())
        await keep(conn, bench.file, before)
        case = await shown_case(conn, bench.case(), Sight(EVERYONE, True, advocate=True), START)
        assert case is not None
        assert case.tasks == tuple([await shown_line(conn, one.task_id) for one in case.tasks])
        after = {one.visit: one.visited_at for one in case.tasks if one.kind is TaskKind.AFTER_DELIVERY}
        assert after == {"not_found": TRIED_AT, "served": START}

    async def test_of_a_day_that_was_moved_the_task_says_the_new_one(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(opened(), planned(START + timedelta(days=3)))
        old = bench.task(TaskKind.BEFORE_DELIVERY).task_id
        bench.put(planned(START + timedelta(days=5)))
        new = bench.task(TaskKind.BEFORE_DELIVERY).task_id
        longer = planned(START + timedelta(days=5)).model_copy(update={"planned_until": START + timedelta(days=6)})
        assert bench.put(longer).result != "none"
        assert bench.task(TaskKind.BEFORE_DELIVERY).task_id == new, "the same day: she need not hear of it anew"
        await keep(conn, bench.file)
        line = await shown_line(conn, new)
        assert (line.planned_from, line.planned_until) == (START + timedelta(days=5), START + timedelta(days=6))
        assert (await shown_line(conn, old)).planned_from is None

    async def test_of_a_visit_from_before_each_was_kept_it_says_what_is_known(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(opened(), served())
        [kept] = bench.file.deliveries.values()
        bench.file = replace(bench.file, deliveries={kept.notification_id: replace(kept, came_of=())})
        await keep(conn, bench.file)
        line = await shown_line(conn, bench.task(TaskKind.AFTER_DELIVERY).task_id)
        assert (line.visit, line.visited_at) == ("served", kept.visited_at)

    async def test_a_case_shows_what_the_reader_may_see(self, conn: AsyncConnection) -> None:
        bench = full()
        await keep(conn, bench.file)
        case_id = bench.task(TaskKind.CALL, 1).case_id
        whole = await shown_case(conn, case_id, Sight(EVERYONE, True, advocate=True), START)
        assert whole is not None
        assert whole.guarding is not None
        assert {task.owner for task in whole.tasks} == EVERYONE
        assert [(one.outcome, one.by) for one in whole.attempts] == [(AttemptOutcome.REACHED, "ada")]
        assert (whole.guarding.gates, [hold.hold_id for hold in whole.guarding.holds]) == ({pair(1): "shut"}, ["H-2"])
        assert [(one.referral_id, one.tier) for one in whole.referrals] == [(ref(1), Tier.B)]
        assert [(one.name, one.contact) for one in whole.contacts] == [("No Body", (HOME, "+1 336 555 0100"))]

        polices = await shown_case(conn, case_id, Sight(POLICE, False, advocate=False), START)
        assert polices is not None
        assert {task.owner for task in polices.tasks} == POLICE
        assert (polices.attempts, polices.guarding) == ((), None)
        assert await shown_case(conn, case_id, Sight(frozenset(), True, advocate=False), START) is None
        assert await shown_case(conn, "elsewhere", Sight(EVERYONE, True, advocate=True), START) is None

    async def test_a_case_of_no_referral_shows_nobody(self, conn: AsyncConnection) -> None:
        """Not all his victims: an expunction takes her referrals away, and her tasks stay."""
        bench = full()
        await keep(conn, bench.file)
        case_id = bench.task(TaskKind.CALL, 1).case_id
        await conn.execute(delete(referrals).where(referrals.c.case_id == case_id))
        whole = await shown_case(conn, case_id, Sight(EVERYONE, True, advocate=True), START)
        assert whole is not None
        assert (whole.referrals, whole.contacts) == ((), ())

    async def test_a_substitute_address_wins_over_every_other(self, conn: AsyncConnection) -> None:
        bench = Bench()
        carded = her(1, HOME, "her@example.org", substitute_address=CARD)
        bench.put(described(carded, her(1, HOME, "tel:+13365550100"), her(2, HOME, victim_id="V-2")), opened())
        await keep(conn, bench.file)
        shown = await shown_case(conn, bench.task(TaskKind.CALL).case_id, Sight(EVERYONE, False, advocate=True), START)
        assert shown is not None
        assert [(one.substitute_address, one.contact) for one in shown.contacts] == [
            (CARD, ("her@example.org",)),
            (None, ("tel:+13365550100",)),
        ]

    async def test_an_unnamed_victim_is_known_by_her_place_in_the_incident(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(described(her(1, victim_id="V-1"), DescribedVictim(victim_no=2, incident_id=incident(1), name="She")))
        bench.put(opened(1, 2, None))
        await keep(conn, bench.file)
        case_id = bench.task(TaskKind.IDENTIFY_VICTIM).case_id
        shown = await shown_case(conn, case_id, Sight(EVERYONE, False, advocate=True), START)
        assert shown is not None
        assert [one.name for one in shown.contacts] == ["She"]

    async def test_a_withdrawn_unnamed_victim_is_nobody(self, conn: AsyncConnection) -> None:
        """What names her incident is gone; a record that names none is another's."""
        bench = Bench()
        bench.put(described(DescribedVictim(victim_no=1, victim_id="V-9", name="Another")), opened(1, victim_id=None))
        case_id = bench.case()
        bench.put(withdrawn(1))
        await keep(conn, bench.file)
        shown = await shown_case(conn, case_id, Sight(EVERYONE, False, advocate=True), START)
        assert shown is not None
        assert shown.contacts == ()

    async def test_who_placed_a_hold_is_known_to_who_may_lift_it(self, conn: AsyncConnection) -> None:
        bench = full()
        await keep(conn, bench.file)
        for lifts, expected in (
            (frozenset(), None),
            (frozenset({"bea"}), None),
            (frozenset({"ada"}), "ada"),
            (None, "ada"),
        ):
            shown = await shown_case(conn, bench.case(), Sight(POLICE, True, advocate=False, lifts=lifts), START)
            assert shown is not None and shown.guarding is not None
            assert [(one.hold_id, one.by) for one in shown.guarding.holds] == [("H-2", expected)]

    async def test_what_she_forbade_to_an_advocate_is_neither_open_to_police_nor_told_to_them(
        self, conn: AsyncConnection
    ) -> None:
        """Not a thing on their page is another where she said nothing to anybody."""
        silent, spoken = Bench(), Bench(file=CaseFile("O-2"))
        for bench, victim in ((silent, "V-1"), (spoken, "V-2")):
            bench.put(opened(victim_id=victim))
        spoken.advise(RecordSafeContact, channels=[FORBIDDEN], no_contact=False)
        pages = []
        for bench in (silent, spoken):
            await keep(conn, bench.file)
            shown = await shown_case(conn, bench.case(), Sight(POLICE, False, advocate=False), bench.now)
            assert shown is not None
            pages.append((shown.safe_contact, shown.profiles, shown.police))
        assert pages[0] == pages[1]
        ways = {one.channel: (one.safety, one.use) for one in pages[1][0].channels}
        assert ways[ContactChannel.CALL] == ways[ContactChannel.IN_PERSON] == ("not_asked", "ask_first")
        assert ways[ContactChannel.VOICEMAIL] == ways[ContactChannel.TEXT] == ("not_asked", "shut")
        assert pages[1][0].to_do == ("ask_her", "ask_her_advocate")

    async def test_asked_by_police_herself_it_is_as_she_said(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(opened())
        channels = [FORBIDDEN, ChannelSafety(channel=ContactChannel.IN_PERSON, safety=ContactSafety.UNKNOWN)]
        bench.advise(RecordSafeContact, role=Role.OFFICER, channels=channels, no_contact=False)
        await keep(conn, bench.file)
        for owners, to_do in ((POLICE, ("ask_her", "ask_her_advocate")), (EVERYONE, ("ask_her",))):
            shown = await shown_case(conn, bench.case(), Sight(owners, False, advocate=False), bench.now)
            assert shown is not None
            ways = {one.channel: (one.safety, one.use) for one in shown.safe_contact.channels}
            assert ways[ContactChannel.CALL] == ("unsafe", "shut")
            assert ways[ContactChannel.IN_PERSON] == ("unknown", "open")
            assert ways[ContactChannel.COURT] == ("not_asked", "ask_first")
            assert shown.safe_contact.to_do == to_do, "whoever sees all needs to ask nobody else"

    async def test_advocates_are_told_what_police_may_do_against_her_word(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(opened())

        async def police(at: TaskOwner = TaskOwner.COMMUNITY_ADVOCATE) -> tuple[str, tuple[ContactChannel, ...]]:
            await keep(conn, bench.file)
            owners = EVERYONE if at is TaskOwner.COMMUNITY_ADVOCATE else POLICE | {at}
            shown = await shown_case(conn, bench.case(), Sight(owners, False, advocate=True), bench.now)
            assert shown is not None
            assert shown.police is not None
            return shown.police.profile, shown.police.may_use

        assert await police() == ("none", ())
        bench.advise(RecordSafeContact, channels=[FORBIDDEN], no_contact=False)
        assert await police() == ("none", (ContactChannel.CALL,))
        assert await police(TaskOwner.SYSTEM_ADVOCATE) == ("none", ()), "what she told her is not to be read from this"
        allowed = [ChannelSafety(channel=ContactChannel.CALL, safety=ContactSafety.SAFE)]
        bench.advise(RecordSafeContact, role=Role.OFFICER, channels=allowed, no_contact=False)
        assert await police() == ("looser", (ContactChannel.CALL,))
        bench.advise(GiveConsent, consent_id="C-1", **TO_POLICE, until=bench.now + timedelta(days=3))
        assert await police() == ("as_strict", ())
        hours = [SafeHours(days=list(Weekday), start="09:00", end="15:00")]
        bench.wait(days=4)
        bench.advise(RecordSafeContact, channels=allowed, hours=hours, no_contact=False)
        profile, ways = await police()
        assert (profile, ContactChannel.CALL in ways) == ("looser", True), "she named hours, and police know of none"

    async def test_where_police_may_not_see_her_nothing_is_said_of_them(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(opened(conflict_of_interest=True))
        await keep(conn, bench.file)
        shown = await shown_case(conn, bench.case(), Sight(EVERYONE, True, advocate=True), bench.now)
        assert shown is not None
        assert shown.police is None

    async def test_a_consent_taken_back_anywhere_is_taken_back(self, conn: AsyncConnection) -> None:
        """His record was merged into another's, and each lane has a copy."""
        here, there = Bench(), Bench(file=CaseFile("O-2"))
        here.put(opened())
        here.safe(ContactChannel.TEXT)
        here.advise(GiveConsent, consent_id="C-1", **TO_POLICE, until=here.now + timedelta(days=30))
        there.put(opened())
        [given] = here.file.consents.values()
        gone = replace(given, case_id=there.case(), revoked_at=here.now)
        await keep(conn, here.file)
        await keep(conn, replace(there.file, consents={"C-1": gone}))
        for bench in (here, there):
            shown = await shown_case(conn, bench.case(), Sight(POLICE, False, advocate=False), START)
            assert shown is not None
            assert shown.profiles == ()
            shown = await shown_case(conn, bench.case(), Sight(EVERYONE, False, advocate=True), START)
            assert shown is not None
            assert [one.revoked_at for one in shown.consents] == [gone.revoked_at]

    async def test_a_consent_is_found_wherever_it_is_kept(self, conn: AsyncConnection) -> None:
        here, there = Bench(), Bench(file=CaseFile("O-2"))
        here.put(opened(), opened(2, victim_id="V-2"))
        here.advise(GiveConsent, consent_id="C-1", **TO_POLICE, until=here.now + timedelta(days=30))
        there.put(opened())
        await keep(conn, here.file)
        await keep(conn, there.file)
        for bench in (here, there):
            assert await consent_at(conn, bench.case(), "C-1") == (HIM, here.case())
        assert await consent_at(conn, here.case(2), "C-1") is None
        assert await consent_at(conn, here.case(), "C-2") is None
        [given] = here.file.consents.values()
        copy = replace(given, case_id=there.case())
        await keep(conn, replace(there.file, consents={"C-1": copy}), there.file)
        assert await consent_at(conn, there.case(), "C-1") == ("O-2", there.case())

    async def test_whose_it_is(self, conn: AsyncConnection) -> None:
        bench = full()
        await keep(conn, bench.file)
        call = bench.task(TaskKind.CALL, 1)
        assert await task_of(conn, call.task_id, EVERYONE) == (HIM, TaskOwner.SYSTEM_ADVOCATE)
        assert await task_of(conn, call.task_id, POLICE) is None
        assert await case_of(conn, call.case_id) == HIM
        assert await case_of(conn, call.case_id, [TaskOwner.SYSTEM_ADVOCATE]) == HIM
        assert await case_of(conn, call.case_id, ()) is None
        assert await case_of(conn, "elsewhere") is None
        assert await offender_of_pair(conn, pair(1)) == HIM
        assert await offender_of_pair(conn, pair(9)) is None

    async def test_what_she_said_and_who_she_is_shows_in_no_log(self, conn: AsyncConnection) -> None:
        loaded = await keep(conn, full().file)
        assert "No Body" not in repr(loaded)
        assert HOME not in repr(loaded)
        assert await conn.scalar(select(func.count()).select_from(tasks)) == len(loaded.tasks)

    # a woman who calls back

    async def test_she_is_found_by_what_police_have_of_her_however_it_is_written(self, conn: AsyncConnection) -> None:
        bench = Bench()
        she = her(
            1, HOME, "tel:+1 (336) 555-01-42", "Her@Example.org", name="Ána  Lopez-Gil", birth_date=date(1990, 5, 1)
        )
        bench.put(described(she, her(2, "+1 336 555 0199", victim_id="V-2", name="Ana Lopez Gil")), opened())
        bench.put(opened(2, victim_id="V-2"))
        await keep(conn, bench.file)
        born = date(1990, 5, 1)
        for sought in (NUMBER, Sought(way="her@example.org"), named("gil LOPEZ ana", born)):
            assert await found_by(conn, sought) == [bench.case(1)]
            assert await found_by(conn, sought, POLICE) == [bench.case(1)]
            assert await found_by(conn, sought, frozenset()) == []
        for missed in (
            Sought(way="3365550143"),
            Sought(way="her@example.or"),
            named("Ana Lopez", born),
            named("Ana Lopez Gil", date(1990, 1, 5)),
        ):
            assert await found_by(conn, missed) == []

    async def test_an_unnamed_victim_is_found_by_her_place_in_the_incident(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(described(her(1, "+1 336 555 0100"), her(2, "3365550142", victim_id=None)), opened(1, 1, None))
        bench.put(opened(1, 2, None))
        await keep(conn, bench.file)
        assert await found_by(conn, NUMBER) == [bench.case(1, 2)]

    async def test_a_number_she_told_an_advocate_is_found_by_none_who_may_not_see_it(
        self, conn: AsyncConnection
    ) -> None:
        """On whichever case of hers; by police for as long as she lets them know."""
        bench, other = Bench(), Bench(file=CaseFile("O-2"))
        bench.put(described(her(1, "+1 336 555 0100")), opened())
        other.put(opened())
        bench.safe(ContactChannel.CALL)
        await keep(conn, bench.file)
        await keep(conn, other.file)
        advocates = POLICE | {TaskOwner.SYSTEM_ADVOCATE}
        assert await found_by(conn, NUMBER) == sorted([bench.case(), other.case()])
        assert await found_by(conn, NUMBER, advocates) == await found_by(conn, NUMBER, POLICE) == []
        before, until = bench.file, bench.now + timedelta(days=3)
        bench.advise(GiveConsent, consent_id="C-1", **TO_POLICE, until=until)
        await keep(conn, bench.file, before)
        assert await found_by(conn, NUMBER, POLICE, days=2) == sorted([bench.case(), other.case()])
        assert await found_by(conn, NUMBER, POLICE, days=4) == []

    async def test_what_is_kept_under_a_linked_id_finds_her_case(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(opened(1, victim_id="V-1"), opened(2, victim_id="V-2"))
        bench.safe(ContactChannel.CALL, case_id=bench.case(2))
        bench.link(one="V-1", other="V-2")
        await keep(conn, bench.file)
        assert bench.case(1) == bench.case(2)
        assert await found_by(conn, NUMBER) == [bench.case(1)]
        assert await found_by(conn, NUMBER, POLICE) == []

    async def test_of_very_many_no_more_than_a_few_are_shown(self, conn: AsyncConnection) -> None:
        bench = Bench()
        numbers = range(1, MOST + 6)
        bench.put(described(*(her(n, "3365550142", victim_id=f"V-{n}") for n in numbers)))
        bench.put(*(opened(n, victim_id=f"V-{n}") for n in numbers))
        await keep(conn, bench.file)
        assert len(await found_by(conn, NUMBER)) == MOST

    # one woman over all offenders

    async def test_one_woman_over_offenders_and_ids(self, conn: AsyncConnection) -> None:
        """V-1 with him, V-1 and V-2 with another, V-3 with a third; links V-1 to V-2 there and V-2 to V-3 with the third."""
        benches = [Bench(file=CaseFile(each)) for each in ("O-1", "O-2", "O-3")]
        benches[0].put(opened(1, victim_id="V-1"))
        benches[1].put(opened(1, victim_id="V-1"), opened(2, victim_id="V-2"))
        benches[1].link(one="V-1", other="V-2")
        benches[2].put(opened(3, victim_id="V-3"), opened(4, victim_id="V-4"))
        benches[2].link(one="V-2", other="V-3")
        for bench in benches:
            await keep(conn, bench.file)
        woman = await woman_of(conn, benches[0].case())
        assert woman.victim_ids == {"V-1", "V-2", "V-3"}
        assert {bench.case(number) for bench, number in zip(benches, (1, 2, 3), strict=True)} <= woman.case_ids
        assert benches[2].case(4) not in woman.case_ids
        assert await offenders_of(conn, ["V-4"]) == {"O-3"}
        assert (await woman_of(conn, "elsewhere")).case_ids == {"elsewhere"}
        benches[2].link(UnlinkVictims, one="V-2", other="V-3")
        await keep(conn, benches[2].file)
        assert (await woman_of(conn, benches[0].case())).victim_ids == {"V-1", "V-2"}

    async def test_what_changed_of_a_woman_is_news_until_it_is_dealt_with(self, conn: AsyncConnection) -> None:
        benches = [Bench(file=CaseFile(each)) for each in ("O-1", "O-2")]
        for bench in benches:
            bench.put(opened(1, victim_id="V-1"))
        benches[0].safe(ContactChannel.TEXT)
        for bench in benches:
            await keep(conn, bench.file)
        found = await news.oldest(conn, 10)
        assert [woman for _, woman in found] == ["V-1", "V-1"]
        [untold] = await elsewhere.untold(conn, ["V-1"])
        assert (untold.offender_id, len(untold.profiles), untold.attempts) == ("O-2", 1, ())
        await news.drop(conn, [seq for seq, _ in found])
        before = benches[1].file
        benches[1].put(
            Hear(offender_id="O-2", victim_ids=["V-1"], kept={"profiles": list(map(asdict, untold.profiles))})
        )
        await keep(conn, benches[1].file, before)
        assert len(await news.oldest(conn, 10)) == 1
        assert await elsewhere.untold(conn, ["V-1"]) == []

    async def test_candidates_are_alike_in_name_birth_date_or_contact(self, conn: AsyncConnection) -> None:
        born, other = date(1990, 5, 4), date(1991, 1, 1)
        bench = Bench()
        bench.put(
            opened(1),
            described(her(1, "(336) 555-0142", "her@example.org", name="María del Carmen Núñez", birth_date=born)),
        )
        await keep(conn, bench.file)
        others = {
            "V-2": her(1, "+1 336 555 0142", victim_id="V-2", name="M. Nunez"),
            "V-3": her(2, victim_id="V-3", name="NUNEZ, Maria del Carmen", birth_date=born),
            "V-4": her(3, victim_id="V-4", name="Maria del Carmen Nunez", birth_date=other),
            "V-5": her(4, victim_id="V-5", name="Maria del Carmen Nunez"),
            "V-6": her(5, "HER@example.org", victim_id="V-6", name="Other Name"),
            "V-7": her(6, "12 Elm St", victim_id="V-7", name="Ana Ruiz", birth_date=born),
        }
        stranger = Bench(file=CaseFile("O-2"))
        stranger.put(described(*others.values()))
        await keep(conn, stranger.file)
        found = await candidates(conn, bench.case())
        assert [(one.victim_id, one.alike) for one in found] == [
            ("V-3", (Likeness.NAME, Likeness.BIRTH_DATE)),
            ("V-2", (Likeness.CONTACT,)),
            ("V-5", (Likeness.NAME,)),
            ("V-6", (Likeness.CONTACT,)),
        ]
        bench.link(one="V-1", other="V-3")
        await keep(conn, bench.file)
        assert "V-3" not in [one.victim_id for one in await candidates(conn, bench.case())]

    async def test_a_substitute_address_in_any_record_of_hers_hides_her_home(self, conn: AsyncConnection) -> None:
        bench, elsewhere = Bench(), Bench(file=CaseFile("O-2"))
        bench.put(described(her(1, HOME, "her@example.org")), opened())
        elsewhere.put(described(her(1, victim_id="V-9", substitute_address=CARD)))
        bench.link(one="V-1", other="V-9")
        await keep(conn, bench.file)
        await keep(conn, elsewhere.file)
        shown = await shown_case(conn, bench.case(), Sight(POLICE, guarding=False, advocate=False), START)
        assert shown is not None
        assert [one.contact for one in shown.contacts] == [("her@example.org",)]

    async def test_a_case_that_turned_out_to_be_another_womans_still_shows(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(described(her(1, HOME)), opened(1, victim_id="V-1"))
        was = bench.case()
        bench.put(amended(1, victim_id="V-2"))
        await keep(conn, bench.file)
        shown = await shown_case(conn, was, Sight(EVERYONE, guarding=True, advocate=True), START)
        assert shown is not None
        assert (shown.referrals, shown.contacts) == ((), ())
        assert {task.state for task in shown.tasks} == {"cancelled"}

    async def test_a_case_that_has_gone_with_his_record_is_open_no_more(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(*(opened(number, victim_id=f"V-{number}") for number in (1, 2, 3)), opened(4, victim_id="V-3"))
        bench.put(withdrawn(2))
        bench.put(*(withdrawn(number).model_copy(update={"moved_to": "O-2"}) for number in (1, 3)))
        await keep(conn, bench.file)
        found = {closed: await case_list(conn, EVERYONE, Page(), closed=closed) for closed in (None, False, True)}
        listed = {closed: {one.case_id for one in cases.items} for closed, cases in found.items()}
        assert listed == {
            None: {bench.case(number) for number in (1, 2, 3)},
            False: {bench.case(number) for number in (2, 3)},
            True: set(),
        }

    async def test_what_his_agency_did_before_a_merge_told_that_he_is_an_officer_is_not_for_it_to_read(
        self, conn: AsyncConnection
    ) -> None:
        bench, there = merged_after_information()
        case, [task] = (
            bench.case(),
            [one for one in bench.file.tasks.values() if one.owner in POLICE and one.claimed_by],
        )
        every = Wanted(states=list(TaskState))
        for officer in (False, True):
            there.put(of_the_other(there, conflict_of_interest=officer))
            await keep(conn, bench.file)
            await keep(conn, there.file)
            for owners, seen in ((POLICE, not officer), (POLICE | {TaskOwner.SYSTEM_ADVOCATE}, True), (EVERYONE, True)):
                shown = await shown_case(conn, case, Sight(owners, False, advocate=False), START)
                assert (shown is not None) is seen
                cases = await case_list(conn, owners, Page())
                assert (case in [one.case_id for one in cases.items]) is seen
                tasks_ = await queue(conn, owners, Page(), every)
                assert (task.task_id in [one.task_id for one in tasks_.items]) is seen
                assert (await shown_task(conn, task.task_id, owners) is not None) is seen
                assert (await task_of(conn, task.task_id, owners) is not None) is seen

    async def test_of_two_men_the_one_who_is_an_officer_takes_only_what_was_done_on_his_account(
        self, conn: AsyncConnection
    ) -> None:
        bench, there = merged_after_information(opened(2))
        there.put(of_the_other(there, conflict_of_interest=True))
        await keep(conn, bench.file)
        await keep(conn, there.file)
        shown = await shown_case(conn, bench.case(), Sight(POLICE, False, advocate=False), START)
        assert shown is not None
        assert {bench.file.tasks[one.task_id].referral_id for one in shown.tasks} == {ref(2)}

    async def test_one_person_works_with_one_of_two_who_hurt_each_other(self, conn: AsyncConnection) -> None:
        """The same incident, told of each: he is her victim there, and she his."""
        hers, his = Bench(), Bench(file=CaseFile("O-2"))
        hers.put(opened(1, mutual=True), opened(2, victim_id="V-2", mutual=True))
        his.put(opened(1, victim_id="V-9", mutual=True, pair_id="P-9", referral_id="R-9"))
        hers.claim(TaskKind.CALL, "ada", number=1)
        await keep(conn, hers.file)
        await keep(conn, his.file)
        call = his.task(TaskKind.CALL).task_id
        assert await on_the_other_side(conn, call, "ada")
        assert not await on_the_other_side(conn, call, "bea")
        assert not await on_the_other_side(conn, hers.task(TaskKind.CALL, 1).task_id, "ada")
        await keep(conn, replace(his.file, offender_id="O-3", referrals={}))

    async def test_what_is_begun_is_begun_once(self, conn: AsyncConnection) -> None:
        await keep(conn, full().file)
        assert await outbox.begin(conn, "M-1", START)
        assert not await outbox.begin(conn, "M-1", START)
        await outbox.give_up(conn, START, START)
        await outbox.give_up(conn, START + timedelta(minutes=1), START)
        assert await conn.scalar(select(sends.c.outcome)) == "unknown"
        assert [one.message_id for one in await outbox.waiting(conn, 9)] == []  # its sender has begun

    async def test_of_a_quarter_only_women_to_be_reached_are_counted(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(opened(1, victim_id="V-1", tier=Tier.C), opened(2, victim_id="V-2", tier=Tier.D))
        bench.put(asked(3, victim_id="V-3"), listed(4, victim_id="V-4"), opened(6, victim_id="V-6", homicide=True))
        bench.put(opened(5, victim_id="V-5"), withdrawn(5))
        bench.wait(hours=30)
        bench.reach(1)
        bench.claim(TaskKind.SAFETY_PLANNING, number=1)
        assert bench.complete(TaskKind.SAFETY_PLANNING, number=1) == "applied"
        bench.put(amended(1, victim_id="V-1", tier=Tier.B))
        bench.wait(days=5).tick()
        bench.wait(days=90).put(opened(7, victim_id="V-7"))
        bench.claim(TaskKind.CALL, number=2)
        assert bench.attempt(outcome=AttemptOutcome.DECLINED, number=2) == "applied"
        await keep(conn, bench.file)
        told = {one.tier: one for one in await measures.stories(conn, Quarter(2025, 1))}
        assert set(told) == {Tier.B, Tier.D}
        assert told[Tier.B].cells == {
            "first_contact": "within_72_hours",
            "safety_plan": "made",
            "overdue": "some_task",
            "stopped": "not_stopped",
        }
        assert told[Tier.D].cells["first_contact"] == "later"
        assert told[Tier.D].cells["overdue"] == "some_task"
        assert [one.contacted_at for one in await measures.stories(conn, Quarter(2025, 2))] == [None]
        assert await measures.stories(conn, Quarter(2024, 4)) == []

    async def test_a_quarter_is_published_once(self, conn: AsyncConnection) -> None:
        quarter = Quarter(2025, 1)
        assert await measures.published(conn, quarter) is None
        first, second = tables([]), tables([Story(Tier.A, START, None, False, False, None)] * 20)
        await measures.publish(conn, quarter, second, START)
        await measures.publish(conn, quarter, first, START)
        assert await measures.published(conn, quarter) == second
        assert await measures.quarters(conn) == ["2025-Q1"]
