"""Paper: no unsigned wording goes out, the letter is kept before anybody has it, and the packet is of the very bytes."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from prometheus_client import CollectorRegistry
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from schemas.classification import Change, Tier
from schemas.commands import Attend, CallInCommand, Invite, PersonCommand, PlanDelivery, PrintLetter, Role
from schemas.envelope import encode
from schemas.notice_work import Correction, LetterPrinted
from schemas.notification import HoldReason, NotificationState
from schemas.person import OffenderDescribed
from schemas.policy_file import load_policy
from services.common.api import Health, build_app
from services.common.county import sample_county
from services.common.desk import Reply, Standing
from services.common.policies import Prevailing
from services.common.tables import journal
from services.notifier.api import Papers, router
from services.notifier.domain import Offender, Wording
from services.notifier.letters import Kind, letter_of, load_letters, wordings
from services.notifier.store import NotifierStore, metadata
from services.notifier.store.tables import letters
from tests.harness.hall import MEETING
from tests.harness.http import TOKENS, KeptReads, as_, coded
from tests.harness.notices import HIM, LANE, POLICY, Bench, custody, decision, expunction, gate, withdrawal

BOOK = load_letters(sample_county())
PDF = b"%PDF-1.7 invented"


def released(**more: Any) -> Bench:
    bench = Bench(**more)
    bench.heartbeat()
    bench.put(OffenderDescribed(offender_id=HIM, name="Invented Person 11"), decision(1), gate(1))
    bench.plan(bench.now + timedelta(days=1))
    return bench


def printing(bench: Bench, content: bytes = PDF, **more: Any) -> PrintLetter:
    made: dict[str, Any] = {
        "offender_id": HIM,
        "by": "m.ellison",
        "role": Role.OFFICER,
        "notification_id": bench.notice.notification_id,
        "dated": date(2025, 1, 11),
        "content": b64encode(content).decode(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "template": "letters/c-en",
        "version": "1",
        "template_sha256": "0" * 64,
    }
    return PrintLetter(**(made | more))


def planning(bench: Bench) -> PlanDelivery:
    return PlanDelivery(
        offender_id=HIM,
        by="m.ellison",
        role=Role.OFFICER,
        notification_id=bench.notice.notification_id,
        planned_from=bench.now + timedelta(days=1),
        planned_until=bench.now + timedelta(days=1, hours=4),
    )


# what is decided -----------------------------------------------------------------------------------------------------


def test_an_unsigned_wording_holds_until_it_is_signed() -> None:
    unsigned = replace(POLICY, wordings=lambda _: Wording("letters/c-en@2", "a" * 64, signed=False))
    bench = released(policy=unsigned)
    assert bench.notice.reasons == (HoldReason.UNSIGNED_TEMPLATE,)
    assert {(one.template, one.template_sha256) for one in bench.said} == {("letters/c-en@2", "a" * 64)}
    signed = Bench(policy=replace(POLICY, wordings=lambda _: Wording("letters/c-en@2", "a" * 64)))
    signed.offender, signed.heard, signed.now = bench.offender, bench.heard, bench.now
    signed.wait(minutes=1).heartbeat()
    assert signed.notice.state is NotificationState.RELEASED


def test_a_county_may_do_without_signatures() -> None:
    lax = POLICY.notices.model_copy(update={"signed_templates_only": False})
    policy = replace(POLICY, notices=lax, wordings=lambda _: Wording("letters/c-en@2", "a" * 64, signed=False))
    assert released(policy=policy).notice.state is NotificationState.RELEASED


def test_what_is_printed_is_kept_and_what_was_given_is_named() -> None:
    bench = released()
    assert bench.put(printing(bench)).result == "applied"
    assert bench.put(printing(bench)).result == "none"
    [event] = [one for one in bench.work if isinstance(one, LetterPrinted)]
    assert "content" not in event.model_dump()
    assert bench.put(printing(bench, b"%PDF another")).result == "applied"
    first, second = (one.sha256 for one in bench.notice.printed)
    assert bench.serve(letter_sha256="0" * 64) == "refused:unknown_letter"
    assert bench.serve() == "applied"
    assert (bench.notice.letter_sha256, first != second) == (second, True)
    assert bench.put(printing(bench)).result == "refused:not_released"


def test_of_who_came_to_a_call_in_the_invitation_is_what_he_was_given() -> None:
    bench = released()
    bench.put(decision(2, Tier.B, change=Change.ESCALATED), gate(2))
    bench.heartbeat()
    [b] = [one for one in bench.offender.notices.values() if one.tier is Tier.B]
    common = {"offender_id": HIM, "notification_id": b.notification_id, "call_in_id": MEETING}
    bench.put(Invite(**common, asking=1, moved=False, starts_at=bench.now, venue="City Hall"))
    assert bench.put(printing(bench)).result == "applied"
    assert bench.put(Attend(**common, by="j.castellano", role=Role.COORDINATOR, attended=True)).result == "applied"
    assert bench.notice.letter_sha256 == hashlib.sha256(PDF).hexdigest()


@pytest.mark.parametrize("wrong", [{"sha256": "0" * 64}, {"content": "AAAAA"}])
def test_bytes_that_are_not_those_of_the_hash(wrong: dict[str, Any]) -> None:
    bench = released()
    command = printing(bench).model_copy(update=wrong)
    assert bench.put(command).result == "refused:not_the_letter"


def test_nothing_is_printed_for_him_while_it_waits() -> None:
    bench = Bench()
    bench.put(decision(1))
    assert bench.put(printing(bench)).result == "refused:not_released"


def test_a_correction_is_printed_when_it_is_decided() -> None:
    bench = released()
    bench.serve()
    bench.put(withdrawal(1, None))
    assert bench.put(printing(bench)).result == "refused:not_released"
    bench.decide(Correction.WITHDRAWAL)
    assert bench.put(printing(bench)).result == "applied"


def test_the_wording_follows_where_he_is_and_what_he_reads() -> None:
    policy = replace(POLICY, wordings=lambda one: Wording(f"{one.channel}-{one.language}@1"))
    bench = released(policy=policy)
    assert bench.notice.template == "mail-en@1"
    bench.put(custody(held=True, language="es"))
    assert bench.said[-1].template == "custody_visit-es@1"


def test_of_what_no_charge_has_told_him_he_is_told_in_the_words_of_a_d() -> None:
    bench = Bench(policy=replace(POLICY, wordings=wordings(BOOK)))
    bench.put(OffenderDescribed(offender_id=HIM, name="Invented Person 11"), decision(1, charged=False))
    assert {one.template.partition("@")[0] for one in bench.said} == {"letters/d-en"}
    letter = letter_of(bench.offender, bench.notice, on=date(2025, 1, 11), zone=UTC)
    assert (bench.notice.tier, letter.kind, letter.statutes) == (Tier.C, Kind.D, ())
    assert BOOK.render(letter).template == "letters/d-en"
    bench.put(decision(1, change=Change.KEPT))
    assert bench.notice.template.startswith("letters/c-en@")


# what is kept and shown ----------------------------------------------------------------------------------------------


class Lane:
    """A desk that decides at once, as the lane would."""

    def __init__(self, engine: AsyncEngine, bench: Bench) -> None:
        self.engine, self.bench, self.store = engine, bench, NotifierStore()

    async def submit(self, command: PersonCommand | CallInCommand, *, form_id: str, offender_id: str) -> Reply:
        result = await self.put(command)
        refused = result.startswith("refused:")
        return Reply(Standing.REFUSED if refused else Standing.APPLIED, "c", result.partition(":")[2] or None)

    async def put(self, record: Any) -> str:
        before = self.bench.offender
        outcome = self.bench.put(record)
        async with self.engine.begin() as conn:
            await self.store.save(conn, LANE, {HIM: (before, self.bench.offender)})
            for number, out in enumerate(outcome.events):
                await self._journal(conn, number, out)
        return outcome.result

    async def _journal(self, conn: Any, number: int, out: Any) -> None:
        message = encode(out.event)
        row = {
            "lane": LANE,
            "seq": self.bench.records * 100 + number,
            "in_topic": "test",
            "in_offset": self.bench.records,
            "topic": str(out.topic),
            "partition": LANE,
            "key": message.key,
            "value": message.value,
            "headers": [[name, value.decode("latin-1")] for name, value in message.headers],
            "about": out.about,
            "erased": False,
        }
        await conn.execute(insert(journal), row)


@pytest.fixture
async def lane() -> AsyncIterator[Lane]:
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    async with engine.begin() as conn:
        await conn.run_sync(metadata.create_all)
        await conn.run_sync(journal.metadata.create_all)
    made = Lane(engine, Bench())
    made.bench.heartbeat()
    for record in (OffenderDescribed(offender_id=HIM, name="Invented Person 11"), decision(1), gate(1)):
        await made.put(record)
    await made.put(planning(made.bench))
    yield made
    await engine.dispose()


PREVAILING = Prevailing(load_policy("high-point-practice"))


def app_of(lane: Lane, *, with_book: bool = True) -> FastAPI:
    async def health() -> Health:
        return Health(healthy=True, ready=True)

    made = router(lane, lane.engine.connect, Papers(BOOK, PREVAILING) if with_book else None)
    return build_app("notifier", [made], TOKENS, health, CollectorRegistry(), KeptReads())


@pytest.fixture
async def client(lane: Lane) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(app_of(lane)), base_url="http://api/v1") as opened:
        yield opened


async def test_from_print_to_packet(client: AsyncClient, lane: Lane) -> None:
    at = f"/notifications/{lane.bench.notice.notification_id}"
    body = {"dated": "2025-01-11"}
    assert (await client.post(f"{at}/letter", headers=as_("officer"), json=body)).status_code == 200
    [sha256] = (await client.get(f"{at}/letters", headers=as_("officer"))).json()
    letter = await client.get(f"{at}/letters/{sha256}", headers=as_("officer"))
    assert (letter.headers["content-type"], hashlib.sha256(letter.content).hexdigest()) == ("application/pdf", sha256)
    assert coded(await client.get(f"{at}/packet", headers=as_("coordinator"))) == (404, "unknown_letter")
    served = {"served_at": lane.bench.now.isoformat(), "proof": "signature", "letter_sha256": sha256}
    given = await client.post(f"{at}/serve", headers=as_("officer", "form-0002"), json=served)
    assert given.status_code == 200
    packet = await client.get(f"{at}/packet", headers=as_("coordinator"))
    assert (packet.status_code, packet.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(packet.content)) as archive:
        assert archive.read("letter.pdf") == letter.content
        changes = [json.loads(line)["change"] for line in archive.read("audit.jsonl").splitlines()]
        assert changes == ["prepared", "waiting", "released", "planned", "served"]
        assert b"gate" not in archive.read("audit.jsonl")
        assert json.loads(archive.read("manifest.json"))["served_by"] == "officer"
    assert (await client.get(f"{at}/packet", headers=as_("officer"))).status_code == 403


async def test_an_expunction_takes_the_letters(client: AsyncClient, lane: Lane) -> None:
    at = f"/notifications/{lane.bench.notice.notification_id}"
    await client.post(f"{at}/letter", headers=as_("officer"), json={"dated": "2025-01-11"})
    await client.post(
        f"{at}/serve",
        headers=as_("officer", "form-0002"),
        json={"served_at": lane.bench.now.isoformat(), "proof": "signature"},
    )
    await lane.put(expunction(1, None))
    async with lane.engine.connect() as conn:
        assert (await conn.execute(select(letters))).all() == []
        found = (await lane.store.load(conn, [HIM]))[HIM]
    assert isinstance(found, Offender)
    assert [one.state for one in found.notices.values()] == [NotificationState.CORRECTED]


async def test_what_cannot_be_printed(client: AsyncClient, lane: Lane) -> None:
    body = {"dated": "2025-01-11"}
    missing = await client.post("/notifications/none/letter", headers=as_("officer"), json=body)
    assert coded(missing) == (404, "unknown_notification")
    at = f"/notifications/{lane.bench.notice.notification_id}"
    await lane.put(OffenderDescribed(offender_id=HIM))
    nameless = await client.post(f"{at}/letter", headers=as_("officer"), json=body)
    assert coded(nameless) == (409, "letter_incomplete")
    async with AsyncClient(transport=ASGITransport(app_of(lane, with_book=False)), base_url="http://api/v1") as without:
        assert coded(await without.post(f"{at}/letter", headers=as_("officer"), json=body)) == (409, "no_letters")


async def test_a_call_in_letter_names_his_place_at_one(client: AsyncClient, lane: Lane) -> None:
    lane.bench.policy = replace(POLICY, zone="UTC")
    await lane.put(decision(2, Tier.B))
    await lane.put(gate(2))
    [b] = [one for one in lane.bench.offender.notices.values() if one.tier is Tier.B]
    answered = await client.post(
        f"/notifications/{b.notification_id}/letter", headers=as_("officer"), json={"dated": "2025-01-11"}
    )
    assert coded(answered) == (409, "letter_incomplete")
