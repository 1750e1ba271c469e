"""An expunction reaches the partner that was sent the event, leaves nothing here, and is confirmed by that partner."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from schemas.classification import Tier, TierCurrent
from schemas.commands import Role
from schemas.partner import PartnerErased, PartnerKind
from schemas.topics import Topic
from services.cli.broker.process import free_port
from services.partners.domain import Pseudonyms
from tests.harness.partner_county import charge, partner_county, said
from tests.harness.partners import START, expunction, incident_id, pair, partner, prepared
from tests.harness.pipeline import Pipeline
from tests.harness.postgres import PostgresServer
from tests.harness.remains import remains
from tests.harness.replicas import ROOT, wait_for

HIM = "NC099-88213"
DA = partner(id="da-18b")
UNIVERSITY = partner(
    PartnerKind.RESEARCHER, id="university", events=[{"type": "ipvi.partner.tier.v1", "fields": ["tier"]}]
)
LAPSED = partner(PartnerKind.COURT, id="lapsed", expires=str((START + timedelta(days=1)).date()))
PARTNERS = [DA, UNIVERSITY, LAPSED]
KEY = "a key of the county's, for tests"


@pytest.fixture(params=["sqlite", "postgresql"])
def county(request: pytest.FixtureRequest) -> Iterator[Pipeline]:
    if request.param == "sqlite":
        with partner_county(PARTNERS) as made:
            yield made
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.create_database()
    with partner_county(PARTNERS, url) as made:
        yield made
    server.drop_database(url)


def tokens(county: Pipeline) -> str:
    """A token is its person's name."""
    entries: list[dict[str, Any]] = [
        {"person": "da-system", "roles": [Role.PARTNER], "partner": DA.id},
        {"person": "operator", "roles": [Role.OPERATOR]},
    ]
    path = county.folder / "tokens.jsonl"
    path.touch(mode=0o600)
    path.write_text(
        "\n".join(
            json.dumps(entry | {"sha256": hashlib.sha256(entry["person"].encode()).hexdigest()}) for entry in entries
        )
    )
    return str(path)


def test_an_expunction_from_the_note_to_its_confirmation(county: Pipeline) -> None:
    port = free_port()
    process = county.start("partners", IPVI_API_PORT=str(port), IPVI_TOKENS_FILE=tokens(county), IPVI_PARTNERS_KEY=KEY)
    county.feed([charge(HIM, 1), charge(HIM, 2)], Topic.DECISIONS)
    county.feed([said(TierCurrent(offender_id=HIM, tier=Tier.B, since=START, policy_version="1"), HIM, 3)], Topic.TIERS)
    county.feed([said(prepared(1), HIM, 4)], Topic.NOTIFICATIONS)
    county.wait_settled(90)
    county.feed([said(expunction(1, "C", "B"), HIM, 60 * 72)], Topic.DECISIONS)
    county.wait_settled(60)

    sent = county.received(DA)
    (note,) = (event for event in sent if isinstance(event.data, PartnerErased))
    about = [event.id for event in sent if getattr(event.data, "pair_id", None) == note_pair(DA)]
    assert set(note.data.events) == set(about)
    assert len(about) == 2
    assert [event.type for event in county.received(UNIVERSITY)] == ["ipvi.partner.tier.v1"]
    assert [event.type for event in county.received(LAPSED)][-1] == PartnerErased.TYPE, "also after the lapse"

    assert remains(county, [incident_id(1)]) == []
    assert {place.split(".", 1)[1] for place in remains(county, [pair(1)])} <= {"journal.about"}, (
        "opaque, to find it by"
    )
    gone = Pseudonyms.of(KEY.encode(), DA.id).of_kind("incident", incident_id(1))
    assert {place.split(".", 1)[1] for place in remains(county, [gone])} <= {"journal.value"}, "in the note alone"

    confirm(port, note.id)
    assert remains(county, [incident_id(1), gone]) == []
    status = told(county)
    assert (status[DA.id]["confirmed"], status[DA.id]["outstanding"], status[DA.id]["behind_by"]) == (1, 0, 0)
    assert (status["lapsed"]["lapsed"], status["lapsed"]["outstanding"]) == (True, 1)
    assert status["university"]["notes"] == 0
    process.stop()


def note_pair(of: Any) -> str:
    return Pseudonyms.of(KEY.encode(), of.id).of_kind("pair", pair(1))


def confirm(port: int, note_id: str) -> None:
    """As the partner's own system does, twice; and once as somebody else."""
    base = f"http://127.0.0.1:{port}/v1/partners/{DA.id}"
    with httpx.Client(timeout=20, verify=False) as client:  # plain HTTP: no CAs to load

        def post(who: str) -> httpx.Response:
            headers = {"Authorization": f"Bearer {who}", "Idempotency-Key": note_id}
            return client.post(f"{base}/confirmations", json={"note_id": note_id}, headers=headers)

        assert post("operator").status_code == 403
        first = post("da-system")
        assert (first.status_code, first.json()["standing"]) == (200, "applied"), first.text
        assert post("da-system").json() == first.json()
        listed = client.get(f"{base}/notes", headers={"Authorization": "Bearer da-system"}).json()
        assert [line["note_id"] for line in listed if line["confirmed_at"]] == [note_id]
        health = client.get(f"http://127.0.0.1:{port}/health", headers={"Authorization": "Bearer operator"})
        assert (health.status_code, health.json()["lanes"][f"{DA.id}/0"]) == (200, "running")


def told(county: Pipeline) -> dict[str, Any]:
    """`ipvi partners status`."""
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": county.bootstrap,
        "IPVI_HOME": str(county.folder),
        "IPVI_PARTITIONS": str(county.lanes),
        "IPVI_PARTNERS": str(county.partner_files),
        "PYTHONPATH": str(ROOT),
        "PATH": os.environ["PATH"],
        **({"DATABASE_URL": county.url} if county.url else {}),
    }
    command = [sys.executable, "-m", "services.cli.main", "partners", "status"]
    wait_for(county.settled, 60, "all settled")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return {line["partner"]: line for line in map(json.loads, done.stdout.splitlines())}
