"""Webhooks against a real HTTP server on loopback; the clock is set by hand, so that hours pass at once."""

from __future__ import annotations

import asyncio
import ssl
from datetime import date, timedelta
from pathlib import Path

import httpx
import orjson
import pytest
import trustme
from sqlalchemy import select
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from schemas.partner_file import Partner
from services.partners.app import compose
from services.partners.sender import NotReachableError, address_of, verified_by
from services.partners.sender.webhook import WAITS, Answer
from services.partners.store import deliveries
from services.partners.store.tables import deliveries as rows
from tests.harness.partners import ALL_TIERS, HIM, KEY, START, Bench, current, decision, expunction, pair, prepared
from tests.harness.receiver import Request, receiver
from tests.harness.webhooks import OTHER_SECRET, SECRET, post

HOUR = timedelta(hours=1)
NOTIFICATION = "ipvi.partner.notification.v1"
WITHDRAWN = "ipvi.partner.withdrawn.v1"


def ids(found: list[Request]) -> list[str]:
    return [request.id for request in found]


async def test_it_is_signed_and_verifies_with_either_secret(tmp_path: Path) -> None:
    with receiver() as server:
        async with post(tmp_path, server.url) as partner:
            partner.secrets[:] = [OTHER_SECRET, SECRET]  # they are being changed
            said = await partner.say(decision())
            await partner.send()
    [request] = server.taken
    assert [request.id] == said
    assert (request.event["id"], request.event["data"]["tier"]) == (request.id, "C")
    assert request.headers["content-type"] == "application/cloudevents+json"
    for secret in (SECRET, OTHER_SECRET):
        expected = Webhook(secret).sign(request.id, START, request.body.decode())
        assert expected in request.headers["webhook-signature"].split()
    assert HIM.encode() not in request.body


async def test_one_that_is_down_for_an_hour_catches_up_in_order_and_delays_nobody(tmp_path: Path) -> None:
    down, people = [True], [f"O-{number}" for number in range(3)]
    with receiver() as first, receiver() as second:
        first.reply = lambda _: (503, {}) if down[0] else (204, {})
        async with post(tmp_path, first.url, "down") as slow, post(tmp_path, second.url, "up") as quick:
            expected: dict[str, list[str]] = {him: [] for him in people}
            for minute in range(60):
                for him in people:
                    number = minute + 1
                    tier = "CBA"[min(number, 3) - 1]
                    before = None if number == 1 else "CBA"[min(number - 1, 3) - 1]
                    data = decision(number, tier, before, him=him)
                    expected[him] += await slow.say(data, him=him)
                    await quick.say(data, him=him)
                for each in (slow, quick):
                    await each.send(timedelta(minutes=1))
                assert len(second.taken) == (minute + 1) * len(people), "the other is as quick as ever"
            assert first.taken == []
            assert (await slow.going()).counts["waiting"] == 60 * len(people)
            down[0] = False
            await slow.send(WAITS[4] * 1.2)
            assert len(first.taken) == 60 * len(people)
            for him in people:
                assert [one for one in ids(first.taken) if one in expected[him]] == expected[him]
            assert (await slow.going()).counts == {
                "waiting": 0, "delivered": 60 * len(people), "dead": 0, "erased": 0, "lapsed": 0,
            }  # fmt: skip


async def test_what_fails_holds_back_its_own_offender_alone(tmp_path: Path) -> None:
    with receiver() as server:
        async with post(tmp_path, server.url) as partner:
            bad = await partner.say(decision(1, him="O-1"), decision(2, "B", "C", him="O-1"))
            good = await partner.say(decision(1, him="O-2"), decision(2, "B", "C", him="O-2"))
            server.reply = lambda request: (500, {}) if request.id == bad[0] else (200, {})
            await partner.send()
            assert sorted(ids(server.taken)) == sorted(good)
            assert ids(server.taken) == good
            server.reply = lambda _: (200, {})
            await partner.send(HOUR)
            assert ids(server.taken) == [*good, *bad]


async def test_retry_after_is_honoured_up_to_a_day(tmp_path: Path) -> None:
    with receiver() as server:
        async with post(tmp_path, server.url) as partner:
            await partner.say(decision())
            server.reply = lambda _: (429, {"retry-after": "3600"})
            await partner.send()
            await partner.send(timedelta(minutes=59))
            assert len(server.seen) == 1
            server.reply = lambda _: (503, {"retry-after": "999999999"})
            await partner.send(timedelta(minutes=2))
            await partner.send(timedelta(hours=23))
            assert len(server.seen) == 2
            server.reply = lambda _: (200, {})
            await partner.send(timedelta(hours=2))
            assert len(server.taken) == 1


async def test_gone_disables_until_a_person_says_otherwise(tmp_path: Path) -> None:
    with receiver() as server:
        async with post(tmp_path, server.url) as partner:
            said = await partner.say(decision(1, him="O-1"))
            server.reply = lambda _: (410, {})
            await partner.send()
            said += await partner.say(decision(1, him="O-2"))
            await partner.send(HOUR * 100)
            assert len(server.seen) == 1
            assert (await partner.going()).disabled is not None
            server.reply = lambda _: (200, {})
            async with partner.database.write() as conn:
                await deliveries.enable(conn)
            await partner.send()
            assert sorted(ids(server.taken)) == sorted(said)


async def test_after_the_last_try_a_dead_letter_but_never_of_what_takes_back(tmp_path: Path) -> None:
    with receiver() as server:
        async with post(tmp_path, server.url) as partner:
            said = await partner.say(decision(1))
            server.reply = lambda _: (500, {"content-type": "text/plain"})
            for _ in range(len(WAITS) + 1):
                await partner.send(timedelta(days=2))
            going = await partner.going()
            assert (going.counts["dead"], going.counts["waiting"], len(server.seen)) == (1, 0, len(WAITS) + 1)
            [note] = [one for one in await partner.say(expunction(1, None, "C")) if one not in said][:1]
            for _ in range(len(WAITS) + 5):
                await partner.send(timedelta(days=2))
            assert (await partner.going()).counts["waiting"] >= 1
            server.reply = lambda _: (200, {})
            await partner.send(timedelta(days=2))
            assert note in ids(server.taken)
            assert said[0] not in ids(server.taken)
            async with partner.database.write() as conn:  # what was expunged is not said again, whoever asks
                await deliveries.replay(conn, partner.now, START - HOUR, None)
            await partner.send()
            assert said[0] not in ids(server.taken)


async def test_a_replay_does_not_say_the_list_of_an_expunged_incident(tmp_path: Path) -> None:
    with receiver() as server:
        async with post(tmp_path, server.url) as partner:
            said = await partner.say(decision(1))
            said += [event.id for event in partner.bench.tell(current("C"), about=pair(1))]
            said += await partner.say(expunction(1, None, "C"))
            await partner.send()
            assert ids(server.taken) == said[2:]
            async with partner.database.write() as conn:
                await deliveries.replay(conn, partner.now, START - HOUR, None)
            await partner.send()
            assert not set(said[:2]) & set(ids(server.taken))


async def test_replay_sends_the_same_ids_again_in_order(tmp_path: Path) -> None:
    with receiver() as server:
        async with post(tmp_path, server.url) as partner:
            said = await partner.say(decision(1), decision(2, "B", "C"))
            await partner.send()
            partner.now += HOUR
            said += await partner.say(decision(3, "A", "B"))
            await partner.send()
            async with partner.database.write() as conn:
                assert await deliveries.replay(conn, partner.now, START - HOUR, START + HOUR / 2) == 2
            await partner.send()
            assert ids(server.taken) == [*said, *said[:2]]


async def test_a_redirect_is_a_failure_and_is_not_followed(tmp_path: Path) -> None:
    with receiver() as server, receiver() as elsewhere:
        server.reply = lambda _: (307, {"location": elsewhere.url})
        async with post(tmp_path, server.url) as partner:
            await partner.say(decision())
            await partner.send()
            assert (await partner.going()).failing == 1
    assert elsewhere.seen == []


async def test_a_lapsed_subscription_sends_nothing_but_what_is_to_be_erased(tmp_path: Path) -> None:
    with receiver() as server:
        async with post(tmp_path, server.url, expires="2026-03-02") as partner:
            await partner.say(decision(1))
            await partner.send()
            waits = await partner.say(decision(2, "B", "C"))
            await partner.say(expunction(1, "B", "B"), at=START + timedelta(days=30))
            await partner.send()
            types = [request.event["type"] for request in server.taken]
            assert types == ["ipvi.partner.decided.v1", "ipvi.partner.erased.v1"]
            assert waits[0] not in ids(server.taken)


async def test_what_waits_and_a_replay_are_bound_by_the_file_as_it_is_now(tmp_path: Path) -> None:
    fields = ["offender_id", "tier", "previous_tier", "incident_number"]
    wide = [{"type": "ipvi.partner.decided.v1", "fields": fields}, {"type": NOTIFICATION, "fields": ["state"]}]
    with receiver() as server:
        async with post(tmp_path, server.url, kind="law_enforcement", tiers=ALL_TIERS, events=wide) as partner:
            server.reply = lambda _: (503, {})
            sent = await partner.say(decision(1, "D", charged=False, statutes=[]), prepared(1, "D"))
            said = await partner.say(decision(2, "C", him="O-2"), decision(2, "B", "C", him="O-2"))
            await partner.send()
            narrow = partner.bench.partner.model_dump(mode="json", by_alias=True) | {
                "tiers": ["A", "B", "C"], "events": [{"type": "ipvi.partner.decided.v1", "fields": fields[:3]}]
            }  # fmt: skip
            partner.sender.terms = compose(Partner.model_validate_json(orjson.dumps(narrow)), KEY).terms
            server.reply = lambda _: (204, {})
            await partner.send(HOUR)
            async with partner.database.write() as conn:
                await deliveries.replay(conn, partner.now, START - HOUR, None)
            await partner.send()
            assert ids(server.taken) == [*said, *said]
            assert {request.event["type"] for request in server.taken} == {"ipvi.partner.decided.v1"}
            assert {tuple(request.event["data"]) for request in server.taken} == {tuple(fields[:3])}
            counts = (await partner.going()).counts
            assert (counts["lapsed"], counts["waiting"]) == (len(sent), 0)


async def test_what_the_partner_was_owed_when_it_lapsed_is_sent_after_a_renewal(tmp_path: Path) -> None:
    told: list[str] = []
    with receiver() as server:
        async with post(tmp_path, server.url, expires="2026-03-02") as partner:
            told += await partner.say(decision(1), current("C"))
            await partner.send()
            server.reply = lambda _: (503, {})
            missed = await partner.say(decision(2, "B", "C"), current("B"))
            gone = decision(2, None, "B", evidence=[], charged=False, withdrawn_pair_ids=[pair(1), pair(2)])
            taken_back = await partner.say(gone)
            taken_back += [event.id for event in partner.bench.end_tier()]
            await partner.say()
            await partner.send()
            server.reply = lambda _: (204, {})
            await partner.say(decision(9, him="O-2"), at=START + timedelta(days=3))
            await partner.send(2 * HOUR)
            assert ids(server.taken) == told
            renewed = partner.bench.partner.model_copy(update={"expires": date(2030, 1, 1)})
            partner.sender.terms = compose(renewed, KEY).terms
            await partner.send(HOUR)
            types = {request.id: request.event["type"] for request in server.taken[len(told) :]}
            assert list(types) == [one for one in taken_back if one in types]
            assert list(types.values()) == [WITHDRAWN, WITHDRAWN, "ipvi.partner.tier.v1"]
            assert server.taken[-1].event["data"]["tier"] is None, "the list he is on by now, and none in between"
            assert not set(missed) & set(types), "copies that were missed are not sent later"
            await partner.send(HOUR)
            assert len(server.taken) == len(told) + len(types)


async def test_two_senders_send_each_event_once(tmp_path: Path) -> None:
    with receiver() as server:
        async with post(tmp_path, server.url) as partner:
            said = [one for n in range(20) for one in await partner.say(decision(1, him=f"O-{n}"), him=f"O-{n}")]
            twin = type(partner.sender)(partner.sender.terms, partner.sender.delivery, partner.sender.secrets)
            twin.now = partner.sender.now
            await asyncio.gather(partner.send(), twin.drain(partner.database))
    assert sorted(ids(server.taken)) == sorted(said)


async def test_a_replica_whose_file_was_read_before_another_s_sends_nothing_and_lets_nothing_lapse(
    tmp_path: Path,
) -> None:
    with receiver() as server:
        async with post(tmp_path, server.url, expires="2026-03-02") as partner:
            await partner.send()
            old = partner.sender
            renewed = partner.bench.partner.model_copy(update={"expires": date(2030, 1, 1)})
            partner.bench = Bench(renewed, row=partner.bench.row)  # the lane is the new one's, and so its events
            partner.sender = type(old)(compose(renewed, KEY).terms, old.delivery, old.secrets)
            partner.sender.now = old.now
            await partner.send()
            said = await partner.say(decision(1), current("C"), at=START + timedelta(days=3))
            with capture_logs() as logs:
                await old.drain(partner.database)
                await old.drain(partner.database)
            assert server.taken == []
            assert [one["event"] for one in logs] == ["webhook.another_file"]
            again = type(old)(compose(renewed, KEY).terms, old.delivery, old.secrets)
            again.now = old.now
            await again.drain(partner.database)
            assert ids(server.taken) == said
            said += await partner.say(decision(2, "B", "C"))
            await partner.send()
            assert ids(server.taken) == said, "one file, read twice"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.9", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fe80::1%eth0", "fd00::1",
     "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "224.0.0.1", "::",
     "64:ff9b:1::a00:1", "::ffff:0:10.0.0.1", "::10.0.0.1", "::93.184.215.14", "fec0::1"],
)  # fmt: skip
async def test_no_private_address_is_reached_whatever_the_name_says(address: str) -> None:
    async def look_up(host: str, port: int) -> list[str]:
        return ["93.184.215.14", address]

    with pytest.raises(NotReachableError, match="private_address"):
        await address_of("partner.example", 443, [], look_up)


async def test_a_name_that_turns_private_is_not_sent_to(tmp_path: Path) -> None:
    with receiver() as server:
        async with post(tmp_path, server.url) as partner:
            partner.sender.delivery = partner.sender.delivery.model_copy(update={"private_networks": []})
            await partner.say(decision())
            await partner.send()
            assert (await partner.going()).failing == 1
    assert server.seen == []


def test_only_two_hundreds_are_success() -> None:
    assert [Answer(code).is_success for code in ("200", "204", "307", "timeout", "2")] == [
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(("issued_to", "answer"), [("partner.example", "204"), ("other.example", "certificate")])
async def test_the_certificate_is_the_names_though_the_address_is_connected_to(
    tmp_path: Path, issued_to: str, answer: str
) -> None:
    authority = trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(issued_to).configure_cert(served)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    async def look_up(host: str, port: int) -> list[str]:
        return {"partner.example": ["127.0.0.1"]}[host]

    with receiver(tls=served) as server:
        url = server.url.replace("127.0.0.1", "partner.example")
        async with post(tmp_path, url) as partner:
            partner.sender.look_up = look_up
            partner.sender.tls = verified_by(tmp_path / "ca.pem")
            await partner.say(decision())
            await partner.send()
            async with partner.database.read() as conn:
                assert [row.answer for row in await conn.execute(select(rows.c.answer))] == [answer]
    assert [request.headers["host"] for request in server.taken] == [httpx.URL(url).netloc.decode()] * (answer == "204")
