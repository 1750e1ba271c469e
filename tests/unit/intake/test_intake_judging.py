"""A person's word on who is who, over HTTP: what it does, that it is said once, remembered, undone, and who may say it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from schemas.commands import Role
from schemas.envelope import Classification, Event
from schemas.incident import CustodyChange, CustodyChanged, IncidentExpunged, IncidentReported, Offender
from schemas.person import OffenderDescribed
from services.common.api import Health, build_app
from services.common.auth import Person, Tokens
from services.intake.api import Desk, router
from services.intake.domain import Unit
from services.intake.identity import Identifiers, Sighting, offender_id
from services.intake.linkage.model import Scored
from services.intake.linkage.rules import Bars
from services.intake.people import OffenderFacts
from services.intake.store import identities
from services.intake.usecases.linking import scores
from tests.harness.http import KeptReads, coded
from tests.harness.identity import CITY, NOW, SHERIFF, TERMS, days, later, linked, merges, record, sent, splits, taken
from tests.harness.intake import Bench, bench

BORN = date(1985, 3, 14)
HIS = Identifiers(CITY, "I1", agency_person="P1", fbi_number="1AB", name="Mills, Robert", birth_date=BORN, sex="M")
BROTHERS = Identifiers(
    SHERIFF, "S1", state_id="NC7", fbi_number="1AB", agency_person="X9", name="Mills, Kevin", birth_date=BORN, sex="M"
)
ALIKE = Identifiers(SHERIFF, "S1", agency_person="X9", name="MILLS, BOB", birth_date=BORN, sex="M")


@dataclass
class Api:
    client: httpx.AsyncClient
    intake: Bench
    reads: KeptReads

    async def get(self, path: str, who: str = "clerk") -> httpx.Response:
        return await self.client.get(f"/v1/identity/{path}", headers=_as(who))

    async def post(self, path: str, body: Any, who: str = "clerk", key: str = "", **more: str) -> httpx.Response:
        headers = {**_as(who), "Idempotency-Key": key or uuid.uuid4().hex, **more}
        answer = await self.client.post(f"/v1/identity/{path}", json=body, headers=headers)
        await sent(self.intake)
        return answer

    async def only(self) -> dict[str, Any]:
        [found] = (await self.get("candidates")).json()
        return dict(found)

    async def decide(self, word: str, **more: str) -> httpx.Response:
        path = f"candidates/{(await self.only())['candidate_id']}/decision"
        return await self.post(path, {"decision": word, "reason": "photograph"}, **more)

    def last(self, who: str) -> OffenderDescribed:
        found = self.intake.stream.data("ipvi.internal.offenders.v1")
        return [data for data in found if isinstance(data, OffenderDescribed) and data.offender_id == who][-1]


def _token(who: str) -> str:
    return f"token-of-{who}-0123456789abcdef0123456789"


def _as(who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {_token(who)}"}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async def health() -> Health:
        return Health(True, True)

    async with bench(tmp_path) as made:
        tokens = Tokens(
            tuple(
                (hashlib.sha256(_token(name).encode()).digest(), Person(name, frozenset({role})))
                for name, role in (("clerk", Role.RECORDS), ("other", Role.RECORDS), ("operator", Role.OPERATOR))
            )
        )
        reads = KeptReads()
        desk = Desk(made.database, made.sender, TERMS)
        app = build_app("intake", [router(desk)], tokens, health, CollectorRegistry(), reads)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://intake") as client:
            yield Api(client, made, reads)


async def test_only_records_clerks_see_and_say(api: Api) -> None:
    assert coded(await api.get("candidates", who="operator")) == (403, "role_missing")
    assert coded(await api.post("splits", {}, who="operator")) == (403, "role_missing")


async def test_the_list_names_nobody_and_what_is_shown_is_written_down(api: Api) -> None:
    await taken(api.intake, record(HIS), record(BROTHERS))

    listed = await api.get("candidates")
    assert "Mills" not in listed.text
    found = await api.only()
    assert (found["shared"], found["contradiction"]) == (["fbi_number"], "given_name")
    shown = await api.get(f"candidates/{found['candidate_id']}")
    assert [each["name"] for each in shown.json()["records"]] == ["Mills, Robert", "Mills, Kevin"]
    assert shown.headers["etag"] == f'"{found["version"]}"'
    assert [entry.kind for entry in api.reads.entries][-3:] == ["identity_record", "identity_record", "candidate"]
    assert all("Mills" not in entry.record for entry in api.reads.entries)
    assert coded(await api.get("candidates/none")) == (404, "unknown_candidate")


async def test_same_merges_once_however_often_it_is_sent(api: Api) -> None:
    await taken(api.intake, record(HIS), record(BROTHERS))
    question = (await api.only())["candidate_id"]
    body = {"decision": "same", "reason": "fingerprints"}

    for _ in range(3):
        answer = await api.post(f"candidates/{question}/decision", body, key="form-0001")
        assert answer.status_code == 200
    assert merges(api.intake) == [(offender_id(HIS), offender_id(BROTHERS))]
    other = {"decision": "different", "reason": "fingerprints"}
    assert coded(await api.post(f"candidates/{question}/decision", other, key="form-0001")) == (422, "key_reused")
    assert coded(await api.post(f"candidates/{question}/decision", other)) == (409, "already_decided")
    assert coded(await api.post("candidates/none/decision", body)) == (404, "unknown_candidate")


async def test_who_has_seen_another_version_says_nothing(api: Api) -> None:
    await taken(api.intake, record(HIS), record(BROTHERS))
    version = (await api.only())["version"]

    assert coded(await api.decide("same", **{"If-Match": '"other"'})) == (412, "stale")
    assert (await api.decide("same", **{"If-Match": f'"{version}"'})).status_code == 200


async def test_different_is_remembered_and_nothing_links_against_it(api: Api) -> None:
    await taken(api.intake, record(HIS), record(BROTHERS))
    await api.decide("different")
    await taken(api.intake, record(later(HIS, "I2")), record(later(BROTHERS, "S2")))

    assert merges(api.intake) == []
    assert (await api.get("candidates")).json() == []
    third = replace(HIS, agency="ZZ0030000", report="T1", agency_person="T9", state_id="NC8", name="Mills, Robert")
    bridge = replace(third, state_id="NC7", report="T2", agency_person="T9", name="Mills, Robert")
    await taken(api.intake, record(replace(third, state_id=None)), record(bridge))
    assert all(offender_id(BROTHERS) not in pair for pair in merges(api.intake))


async def test_a_wrong_link_is_undone_and_stays_undone(api: Api) -> None:
    """He was linked by the number that a clerk mistyped: what came under his id, and what will, is his own."""
    await taken(api.intake, record(HIS), record(ALIKE))
    merged = replace(ALIKE, report="S0", fbi_number=None, state_id="NC7")
    await taken(api.intake, record(merged), record(replace(HIS, report="I5", state_id="NC7", agency_person="P1")))
    [*_, (stays, goes)] = merges(api.intake)

    body = {"offender_id": stays, "merged_offender_id": goes, "reason": "wrong_number"}
    first = await api.post("splits", body, key="form-0001")
    assert first.status_code == 200, first.text
    assert (await api.post("splits", body, key="form-0001")).status_code == 200
    [said] = splits(api.intake)
    assert said.offender_id == stays
    new = said.new_offender_id
    assert new not in (stays, goes)
    assert coded(await api.post("splits", body)) == (409, "not_linked")


async def test_after_a_split_what_comes_under_the_old_id_is_his_under_the_new(api: Api) -> None:
    one, other = replace(HIS, state_id="NC1"), replace(ALIKE, fbi_number="1AB")
    await taken(api.intake, record(one), record(other))
    assert merges(api.intake) == [(offender_id(one), offender_id(other))]
    body = {"offender_id": offender_id(one), "merged_offender_id": offender_id(other), "reason": "relatives"}
    assert (await api.post("splits", body)).status_code == 200
    [said] = splits(api.intake)
    new = said.new_offender_id
    assert said.incident_ids == [f"{SHERIFF}:S1"]
    assert (api.last(new).name, api.last(offender_id(one)).name) == ("MILLS, BOB", "Mills, Robert")

    booked = CustodyChanged(
        offender_id=offender_id(other), booking_id="B1", change=CustodyChange.BOOKED, at=NOW, facility="Jail"
    )
    unit = record(later(other, "S2"))
    custody = replace(unit, events=(replace(unit.events[0], id="b1", data=booked),), facts=(), sightings=())
    await taken(api.intake, unit, custody, record(later(one, "I2")))
    assert len(merges(api.intake)) == 1
    reported = {
        data.incident_id: data.offender.offender_id
        for data in api.intake.stream.data("ipvi.restricted.incidents.v1")
        if isinstance(data, IncidentReported)
    }
    assert reported[f"{SHERIFF}:S2"] == new
    assert reported[f"{CITY}:I2"] == offender_id(one)
    assert api.last(new).custody is not None
    assert api.last(offender_id(one)).custody is None


async def test_incidents_of_another_under_one_number_are_split_off(api: Api) -> None:
    stranger = replace(HIS, report="I2", name="Garcia, Luis", birth_date=date(1999, 1, 2), agency_person="P2")
    await taken(api.intake, record(HIS), record(stranger))

    assert (await api.decide("different")).status_code == 200
    [said] = splits(api.intake)
    assert said.incident_ids == [f"{CITY}:I2"]
    assert api.last(said.new_offender_id).name == "Garcia, Luis"
    assert api.last(offender_id(HIS)).name == "Mills, Robert"
    body = {"offender_id": offender_id(HIS), "incident_ids": ["ZZ0010000:none"], "reason": "documents"}
    assert coded(await api.post("splits", body)) == (409, "unknown_incident")


async def test_scores_link_only_with_an_arrest_in_common_and_ask_else(api: Api) -> None:
    one, other = replace(HIS, fbi_number=None), ALIKE
    await taken(api.intake, record(one), record(other))
    await _scored(api.intake, 0.9999)
    assert merges(api.intake) == []
    assert (await api.only())["probability"] == 0.9999

    await taken(api.intake, record(later(one, "I2"), arrest="A1"), record(later(other, "S2"), arrest="A1"))
    await _scored(api.intake, 0.9999)
    assert merges(api.intake) == [(offender_id(one), offender_id(other))]
    assert (await api.get("candidates")).json() == []


async def _scored(intake: Bench, probability: float) -> None:
    """All pairs are given this score, whatever the model would say."""
    async with intake.database.read() as conn:
        names = [known.record_id async for _, known in identities.everyone(conn)]
    pairs = [Scored(min(a, b), max(a, b), probability) for place, a in enumerate(names) for b in names[:place]]
    await scores._apply(intake.database, TERMS, pairs, Bars(), 1, NOW)
    await linked(intake)


async def in_jail(
    intake: Bench, known: Identifiers, change: CustodyChange, at: datetime = NOW, booking: str = "B7"
) -> None:
    who = offender_id(known)
    data = CustodyChanged(
        offender_id=who, booking_id=f"{known.agency}:{booking}", change=change, at=at, facility="Jail"
    )
    jail = Event(
        id=f"{booking}-{change}",
        source=f"/agencies/{known.agency}/roster",
        subject=who,
        time=at,
        data=data,
        dataclassification=Classification.RESTRICTED,
    )
    await taken(intake, Unit(1, (jail,)), link=False)


async def test_a_split_gives_him_back_his_own_custody(api: Api) -> None:
    """A wrong link; the other is in jail. Whoever stays is not held under the other's booking, nor ever released from it."""
    one, same = replace(HIS, state_id="NC1"), replace(ALIKE, fbi_number="1AB")
    await taken(api.intake, record(one), record(same))
    await in_jail(api.intake, same, CustodyChange.BOOKED)
    custody = api.last(offender_id(one)).custody
    assert custody is not None
    assert custody.held
    body = {"offender_id": offender_id(one), "merged_offender_id": offender_id(same), "reason": "wrong_number"}
    assert (await api.post("splits", body)).status_code == 200
    [split] = splits(api.intake)
    assert api.last(offender_id(one)).custody is None
    assert api.last(split.new_offender_id).custody == custody
    await in_jail(api.intake, same, CustodyChange.RELEASED, NOW + days(2))
    custody = api.last(split.new_offender_id).custody
    assert custody is not None
    assert not custody.held


async def test_a_split_leaves_him_the_custody_that_was_told_of_him(api: Api) -> None:
    one, same = replace(HIS, state_id="NC1"), replace(ALIKE, fbi_number="1AB")
    await taken(api.intake, record(one), record(same))
    await in_jail(api.intake, one, CustodyChange.BOOKED)
    body = {"offender_id": offender_id(one), "merged_offender_id": offender_id(same), "reason": "wrong_number"}
    assert (await api.post("splits", body)).status_code == 200
    [split] = splits(api.intake)
    custody = api.last(offender_id(one)).custody
    assert custody is not None
    assert custody.held
    assert api.last(split.new_offender_id).custody is None


async def test_after_a_split_each_is_held_until_his_own_bookings_end(api: Api) -> None:
    """Both are in jail, the one who goes under two bookings: whoever is released from his own is held under no other's."""
    one, same = replace(HIS, state_id="NC1"), replace(ALIKE, fbi_number="1AB")
    await taken(api.intake, record(one), record(same))
    await in_jail(api.intake, same, CustodyChange.BOOKED, NOW, "B1")
    await in_jail(api.intake, same, CustodyChange.BOOKED, NOW + days(1), "B2")
    await in_jail(api.intake, one, CustodyChange.BOOKED, NOW + days(2), "B3")
    body = {"offender_id": offender_id(one), "merged_offender_id": offender_id(same), "reason": "wrong_number"}
    assert (await api.post("splits", body)).status_code == 200
    [split] = splits(api.intake)
    new = split.new_offender_id

    def held() -> list[tuple[str, bool]]:
        both = (api.last(offender_id(one)).custody, api.last(new).custody)
        return [(custody.booking_id, custody.held) for custody in both if custody is not None]

    assert held() == [(f"{CITY}:B3", True), (f"{SHERIFF}:B2", True)]
    await in_jail(api.intake, one, CustodyChange.RELEASED, NOW + days(3), "B3")
    await in_jail(api.intake, same, CustodyChange.RELEASED, NOW + days(3), "B2")
    assert held() == [(f"{CITY}:B3", False), (f"{SHERIFF}:B1", True)]
    await in_jail(api.intake, same, CustodyChange.RELEASED, NOW + days(4), "B1")
    assert [is_held for _, is_held in held()] == [False, False]


async def test_a_split_gives_nobody_back_what_the_other_alone_was_told_of(api: Api) -> None:
    """What the other's incident told goes with it, and is gone with it; a birth date that only the incident gives, too."""
    one, same = replace(HIS, state_id="NC1", birth_date=None), replace(ALIKE, fbi_number="1AB", birth_date=None)
    unit = record(same)
    [reported] = unit.events
    assert isinstance(reported.data, IncidentReported)
    offender = Offender(offender_id=offender_id(same), birth_date=BORN, conflict_of_interest=True)
    told = replace(reported, data=reported.data.model_copy(update={"offender": offender}))
    facts = OffenderFacts(offender_id(same), name=same.name, places=("place 1",), language="es")
    await taken(api.intake, record(one), replace(unit, events=(told,), facts=(facts,)))
    assert api.last(offender_id(one)).places == ["place 1"]
    body = {"offender_id": offender_id(one), "merged_offender_id": offender_id(same), "reason": "wrong_number"}
    assert (await api.post("splits", body)).status_code == 200
    [split] = splits(api.intake)
    new = split.new_offender_id
    assert api.last(offender_id(one)) == OffenderDescribed(offender_id=offender_id(one), name="Mills, Robert")
    assert api.last(new) == OffenderDescribed(
        offender_id=new,
        name="MILLS, BOB",
        birth_date=BORN,
        places=["place 1"],
        language="es",
        conflict_of_interest=True,
    )
    await expunged(api.intake, same)
    assert api.last(new) == OffenderDescribed(offender_id=new)


@pytest.mark.parametrize("jailed", [False, True])
async def test_a_name_that_a_split_gives_him_goes_with_the_incident_that_told_it(api: Api, jailed: bool) -> None:
    """Unless a jail, which tells of no incident, knows him by it too."""
    stranger = replace(HIS, report="I2", name="Garcia, Luis", birth_date=date(1999, 1, 2), agency_person="P2")
    first = record(HIS)
    booked = (Unit(2, sightings=(Sighting(offender_id(HIS), HIS),)),) if jailed else ()
    await taken(api.intake, first, *booked, record(stranger))
    assert (await api.decide("different")).status_code == 200
    assert api.last(offender_id(HIS)).name == "Mills, Robert"
    await expunged(api.intake, HIS)
    assert api.last(offender_id(HIS)).name == ("Mills, Robert" if jailed else None)


async def expunged(intake: Bench, known: Identifiers) -> None:
    unit = record(known)
    gone = IncidentExpunged(
        incident_id=f"{known.agency}:{known.report}", offender_id=offender_id(known), agency=known.agency
    )
    event = replace(unit.events[0], id="expunged", data=gone)
    await taken(intake, replace(unit, events=(event,), facts=(), sightings=()))
