"""What agencies' systems send over HTTP, in every form; whose it is; what a receipt says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from schemas.commands import Role
from schemas.incident import IncidentReported
from schemas.kinds import SentKind
from schemas.person import OffenderDescribed
from schemas.topics import Topic
from services.common.api import Health, build_app
from services.common.auth import Person, Tokens
from services.intake.api import Desk, router
from services.intake.bodies import MAX_BODY
from services.intake.domain import RejectLimit, Terms
from services.intake.identity import Identifiers, offender_id
from tests.harness import feed
from tests.harness.http import KeptReads, coded
from tests.harness.intake import Bench, bench

OTHER = "ZZ0020000"
STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"


def _token(name: str) -> str:
    return f"token-of-{name}-0123456789abcdef0123456789"


def _entry(
    name: str, role: Role, agency: str | None = None, kinds: frozenset[SentKind] | None = None
) -> tuple[bytes, Person]:
    import hashlib

    return hashlib.sha256(_token(name).encode()).digest(), Person(name, frozenset({role}), agency, kinds)


@dataclass
class Api:
    client: httpx.AsyncClient
    bench: Bench
    reads: KeptReads

    async def post(self, body: Any, kind: str = "application/json", who: str = "one", **headers: str) -> httpx.Response:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {_token(who)}", "Content-Type": kind, **headers}
        return await self.client.post("/v1/incidents", content=raw, headers=given)

    async def get(self, path: str, who: str = "one") -> httpx.Response:
        return await self.client.get(path, headers={"Authorization": f"Bearer {_token(who)}"})

    @property
    def incidents(self) -> list[str]:
        return [
            event.data.incident_id
            for event in self.bench.stream.events(Topic.INCIDENTS)
            if isinstance(event.data, IncidentReported)
        ]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async def health() -> Health:
        return Health(True, True)

    async with bench(tmp_path) as made:
        tokens = Tokens(
            (
                _entry("one", Role.AGENCY, feed.ORI),
                _entry("other", Role.AGENCY, OTHER),
                _entry("court", Role.AGENCY, feed.ORI, frozenset({SentKind.DISPOSITIONS})),
                _entry("operator", Role.OPERATOR),
                _entry("officer", Role.OFFICER),
            )
        )
        reads = KeptReads()
        desk = Desk(made.database, made.sender, Terms(feed.seal, RejectLimit(0.5, 4)))
        app = build_app("intake", [router(desk)], tokens, health, CollectorRegistry(), reads, most_bytes=MAX_BODY)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://intake") as client:
            yield Api(client, made, reads)


def event(**data: Any) -> dict[str, Any]:
    return feed.envelope(feed.incident(**data))


async def test_plain_json_single_and_several(api: Api) -> None:
    one = await api.post(feed.incident(number="1"))
    many = await api.post([feed.incident(number="2"), feed.incident(number="3")])
    assert (one.status_code, many.status_code) == (202, 202)
    assert (one.json()["events"], many.json()["events"]) == (1, 2)
    assert api.incidents == ["ZZ0010000:1", "ZZ0010000:2", "ZZ0010000:3"]
    assert one.json()["on_stream"] is True


async def test_cloudevents_structured_batch_and_binary(api: Api) -> None:
    assert (await api.post(event(number="1"), STRUCTURED)).status_code == 202
    assert (await api.post([event(number="2"), event(number="3")], f"{BATCH}; charset=utf-8")).status_code == 202
    attributes = event(number="4")
    data = attributes.pop("data")
    headers = {f"ce-{name}": value for name, value in attributes.items()}
    assert (await api.post(data, **headers)).status_code == 202
    assert api.incidents == [f"ZZ0010000:{n}" for n in (1, 2, 3, 4)]


async def test_one_event_in_every_form_is_one_event(api: Api) -> None:
    attributes = event()
    data = attributes["data"]
    headers = {f"ce-{name}": value for name, value in attributes.items() if name != "data"}
    for answered in (
        await api.post(attributes, STRUCTURED),
        await api.post([attributes], BATCH),
        await api.post(data, **headers),
    ):
        assert answered.status_code == 202
    assert len(api.incidents) == 1
    assert answered.json()["repeated"] == 1


async def test_sent_again_it_is_the_same_receipt(api: Api) -> None:
    first = await api.post(feed.incident())
    again = await api.post(feed.incident())
    assert first.json() == again.json()
    shown = await api.get(first.headers["Location"])
    assert shown.json() == first.json()
    assert api.reads.shown == [("one", "receipt", first.json()["receipt_id"])]
    assert len(api.bench.stream.rows) == 2


async def test_a_key_stands_for_one_delivery(api: Api) -> None:
    key = {"Idempotency-Key": "delivery-0001"}
    first = await api.post(feed.incident(number="1"), **key)
    assert (await api.post(feed.incident(number="1"), **key)).json() == first.json()
    assert coded(await api.post(feed.incident(number="2"), **key)) == (422, "key_reused")
    assert (await api.post([event(number="9", agency=OTHER)], BATCH, who="other", **key)).status_code == 202
    assert api.incidents == ["ZZ0010000:1"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"source": f"/agencies/{OTHER}"}, "source"),
        ({"source": f"/agencies/{feed.ORI}1"}, "source"),
        ({"data": feed.incident(agency=OTHER)}, "agency"),
        ({"data": {**feed.incident(), "incident_id": f"{OTHER}:7"}}, "incident_id"),
    ],
)
async def test_another_agencys_records_are_refused(api: Api, changes: dict[str, Any], field: str) -> None:
    answered = await api.post({**event(), **changes}, STRUCTURED)
    assert coded(answered) == (422, "another_agency")
    assert answered.json()["fields"] == [{"field": field, "problem": "another_agency"}]
    assert api.incidents == []
    assert [topic for topic, _ in api.bench.stream.rows] == [Topic.INTAKE_REJECTS]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("ipvi.offender.merged.v1", {"offender_id": "O1", "merged_offender_id": "O2"}),
        ("ipvi.offender.described.v1", {"offender_id": "O1", "name": "Offender 1"}),
    ],
)
async def test_who_is_who_is_no_agencys_to_say(api: Api, kind: str, data: dict[str, Any]) -> None:
    assert coded(await api.post(feed.envelope(data, kind), STRUCTURED)) == (422, "another_agency")


async def test_what_an_agency_may_not_send_is_refused_and_the_rest_of_the_batch_is_taken(api: Api) -> None:
    """An acquittal in another's case, and a warning that nobody gave."""
    charge = {"offender_id": "O1", "arrest_id": f"{OTHER}:7", "charge": "13B", "disposition": "acquitted"}
    notice = {"offender_id": "O1", "notification_id": "N1", "tier": "C", "served_at": "2025-01-12T02:00:00Z"}
    batch = [
        feed.envelope(charge, "ipvi.case.disposed.v1"),
        feed.envelope(notice, "ipvi.notification.recorded.v1"),
        event(number="9", occurred_at="2099-01-01T00:00:00Z"),
        event(number="1"),
    ]
    answered = await api.post(batch, BATCH)
    assert answered.status_code == 202
    assert [(one["place"], one["code"], one["field"]) for one in answered.json()["rejected"]] == [
        (1, "another_agency", "arrest_id"),
        (2, "kind_not_allowed", "type"),
        (3, "in_future", "occurred_at"),
    ]
    assert api.incidents == ["ZZ0010000:1"]
    assert len(api.bench.stream.events(Topic.INCIDENTS)) == 1


async def test_what_one_credential_may_not_send_another_of_the_same_agency_may(api: Api) -> None:
    """The same bytes, and no key: else nobody could ever send them again, whatever `kinds` says by now."""
    charge = {"offender_id": "O1", "arrest_id": f"{OTHER}:7", "charge": "13B", "disposition": "acquitted"}
    body = [feed.envelope(charge, "ipvi.case.disposed.v1"), event(number="1")]
    first = (await api.post(body, BATCH)).json()
    assert [one["code"] for one in first["rejected"]] == ["another_agency"]
    assert (await api.post(body, BATCH)).json() == first
    second = (await api.post(body, BATCH, who="court")).json()
    assert (second["receipt_id"], second["rejected"]) == (first["receipt_id"], []), "either was taken of one of them"
    assert (await api.post(body, BATCH)).json() == second, "nothing that was taken is refused again"
    types = [one.type for one in api.bench.stream.events(Topic.INCIDENTS)]
    assert types == ["ipvi.incident.reported.v1", "ipvi.case.disposed.v1"]


async def test_a_court_sends_what_its_entry_names(api: Api) -> None:
    charge = {"offender_id": "O1", "arrest_id": f"{OTHER}:7", "charge": "13B", "disposition": "acquitted"}
    sent = feed.envelope(charge, "ipvi.case.disposed.v1")
    assert (await api.post(sent, STRUCTURED, who="court")).status_code == 202
    assert coded(await api.post(event(), STRUCTURED, who="court")) == (422, "kind_not_allowed")


@pytest.mark.parametrize("numbers", [(1, 1), (2, None), (None, 3, 1)])
async def test_two_victims_of_one_number_are_refused_at_once(api: Api, numbers: tuple[int | None, ...]) -> None:
    """Downstream one woman's referral would hide the other's: whoever sent it must hear of it."""
    victims = [{"victim_no": number, "relationship": "SE"} for number in numbers]
    field = f"victims.{len(numbers) - 1}.victim_no"
    for body, kind in ((feed.incident(victims=victims), "application/json"), (event(victims=victims), STRUCTURED)):
        answered = await api.post(body, kind)
        assert coded(answered) == (422, "out_of_range")
        assert answered.json()["fields"] == [{"field": field, "problem": "out_of_range"}]
    assert api.incidents == []


@pytest.mark.parametrize("victims", [[], [{"victim_no": 1}], [{"victim_no": 1, "incident_id": f"{OTHER}:7"}]])
async def test_an_agencys_list_names_incidents_of_its_own(api: Api, victims: list[dict[str, Any]]) -> None:
    """An empty one would take away every victim of this man, whoever has told of her."""
    await api.post(feed.incident())
    data = {"offender_id": "O1", "victims": victims}
    assert coded(await api.post(feed.envelope(data, "ipvi.victims.described.v1"), STRUCTURED)) == (
        422,
        "another_agency",
    )
    [(_, last)] = [row for row in api.bench.stream.rows if row[0] == Topic.VICTIMS]
    assert last.value is not None


@pytest.mark.parametrize(
    ("booking", "status"), [(f"{OTHER}:B1", 422), (f"{feed.ORI}:B1", 202), ("B1", 202), ("2025:1", 202)]
)
async def test_a_booking_of_another_jail_is_not_an_agencys_to_end(api: Api, booking: str, status: int) -> None:
    data = {"offender_id": "O1", "booking_id": booking, "change": "released", "at": "2025-01-12T02:00:00Z"}
    answered = await api.post(feed.envelope(data, "ipvi.custody.changed.v1"), STRUCTURED)
    assert answered.status_code == status
    if status == 422:
        assert answered.json()["fields"] == [{"field": "booking_id", "problem": "another_agency"}]


async def test_a_batch_is_taken_but_for_what_is_wrong_in_it(api: Api) -> None:
    answered = await api.post(
        [feed.incident(number="1"), {"incident_id": "ZZ0010000:2", "note": "Canary"}, feed.incident(number="3")]
    )
    assert answered.status_code == 202
    [rejected] = answered.json()["rejected"]
    assert (rejected["place"], rejected["code"], rejected["field"]) == (2, "missing_field", "revision")
    assert api.incidents == ["ZZ0010000:1", "ZZ0010000:3"]
    assert "Canary" not in answered.text


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 422, "broken_json"),
        (b"[", "application/json", 422, "not_a_batch"),
        (b"[]", "application/json", 422, "not_a_batch"),
        (b"{}", BATCH, 422, "not_a_batch"),
        (b"[" + b"{}," * 1_000 + b"{}]", "application/json", 422, "not_a_batch"),
        (b"", STRUCTURED, 422, "broken_json"),
        (b"<xml/>", "text/xml", 415, "unsupported_media_type"),
        (b"{}", "", 415, "unsupported_media_type"),
        (b'{"a": "' + b"x" * 300_000 + b'"}', "application/json", 422, "too_large"),
        (b" " * (MAX_BODY + 1), "application/json", 413, "too_large"),
        (b"\xff", STRUCTURED, 422, "not_utf8"),
    ],
)
async def test_what_cannot_be_read(api: Api, body: bytes, kind: str, status: int, code: str) -> None:
    assert coded(await api.post(body, kind)) == (status, code)
    assert api.incidents == []


async def test_identifiers_in_place_of_an_id(api: Api) -> None:
    who = {"identifiers": {"person": "77", "name": "Offender 1", "birth_date": "1985-06-15"}}
    for number in ("1", "2"):
        assert (await api.post(feed.incident(number=number, offender=who))).status_code == 202
    first, second = (event.subject for event in api.bench.stream.events(Topic.INCIDENTS))
    assert first == second
    [him] = [data for data in api.bench.stream.data(Topic.OFFENDERS) if isinstance(data, OffenderDescribed)]
    assert him.name == "Offender 1"
    assert all(
        b"Offender 1" not in (message.value or b"")
        for topic, message in api.bench.stream.rows
        if topic != Topic.OFFENDERS
    )
    empty = await api.post(feed.incident(offender={"identifiers": {"sex": "M"}}))
    assert empty.json()["fields"][0]["field"] == "offender.identifiers"


@pytest.mark.parametrize("own", [{}, {"birth_date": None}])
async def test_a_birth_date_among_identifiers_is_his(api: Api, own: dict[str, Any]) -> None:
    """Else a minor stands on the ladder, his age unknown."""
    who = own | {"identifiers": {"person": "77", "birth_date": "2010-06-15"}}
    assert (await api.post(feed.incident(offender=who))).status_code == 202
    [data] = [each for each in api.bench.stream.data(Topic.INCIDENTS) if isinstance(each, IncidentReported)]
    assert data.offender.birth_date == date(2010, 6, 15)


async def test_two_men_of_one_incident_known_by_name_alone_are_two(api: Api) -> None:
    """Under one id the second would be the first told differently: refused downstream, and his charge lost."""

    def plain(name: str, **more: Any) -> dict[str, Any]:
        return feed.incident(offender={"identifiers": {"name": name, **more}})

    unnumbered = await api.post(plain("Man, A"))
    assert coded(unnumbered) == (422, "missing_field")
    assert unnumbered.json()["fields"][0]["field"] == "offender.identifiers.offender_no"
    both = await api.post([plain("Man, A", offender_no=1), plain("Other, B", offender_no=2)])
    assert both.status_code == 202
    known = {event.subject for event in api.bench.stream.events(Topic.INCIDENTS)}
    assert known == {offender_id(Identifiers(feed.ORI, "25-001", number)) for number in (1, 2)}


async def test_nothing_is_acknowledged_that_is_not_on_the_stream(api: Api) -> None:
    api.bench.stream.broken = True
    assert coded(await api.post(feed.incident())) == (503, "stream_unreachable")
    api.bench.stream.broken = False
    answered = await api.post(feed.incident())
    assert answered.status_code == 202
    assert api.incidents == ["ZZ0010000:25-001"]


async def test_a_paused_feed_takes_nothing(api: Api) -> None:
    await api.post([{}, {"a": 1}, {"b": 2}, {"c": 3}])
    assert coded(await api.post(feed.incident())) == (503, "feed_paused")
    assert (await api.post(feed.envelope(feed.incident()), STRUCTURED, who="other")).status_code == 422, (
        "theirs goes on"
    )


async def test_receipts_and_feeds_are_ones_own(api: Api) -> None:
    mine = (await api.post(feed.incident())).json()["receipt_id"]
    assert coded(await api.get(f"/v1/receipts/{mine}", who="other")) == (404, "unknown_receipt")
    assert (await api.get(f"/v1/receipts/{mine}", who="operator")).status_code == 200
    assert [each["agency"] for each in (await api.get("/v1/agencies")).json()] == [feed.ORI]
    assert (await api.get("/v1/agencies", who="other")).json() == []
    assert len((await api.get("/v1/agencies", who="operator")).json()) == 1


async def test_only_agencies_send(api: Api) -> None:
    for who in ("operator", "officer"):
        assert coded(await api.post(feed.incident(), who=who)) == (403, "role_missing")
    assert coded(await api.get("/v1/agencies", who="officer")) == (403, "role_missing")
