"""A packet proves a service to anyone who opens it, and tells nobody why a notice waited."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.classification import Tier
from schemas.envelope import Classification, Data, Event
from schemas.notification import (
    CancelReason,
    Channel,
    FailureReason,
    HoldReason,
    Notification,
    NotificationCorrected,
    NotificationFailed,
    NotificationHeld,
    NotificationPlanned,
    NotificationPrepared,
    NotificationReleased,
    NotificationServed,
    Proof,
)
from services.common.signoffs import SignOffs
from services.notifier.letters import Kind, LetterError, Service, audit_of, load_letters, service_packet
from services.notifier.letters.example import example
from tests.harness.letters import SAMPLE_COUNTY, Read

BOOK = load_letters(SAMPLE_COUNTY)
START = datetime(2026, 3, 8, 6, 30, tzinfo=UTC)  # half an hour before the clocks go forward in New York
NOTICE = "n-1"


def event(model: type[Notification], minute: int, notice: str = NOTICE, **more: Any) -> Event[Data]:
    common: dict[str, Any] = {
        "notification_id": notice, "pair_id": "canary-pair", "offender_id": "canary-offender", "tier": Tier.C,
        "channel": Channel.LETTER_IN_HAND, "template": "c-en@1", "by": "system",
    }  # fmt: skip
    at = START + timedelta(minutes=minute)
    return Event(
        id=f"e-{minute}", source="/ipvi/notifier", subject="canary-offender", time=at, recordedtime=at,
        data=model(**common | more), dataclassification=Classification.INTERNAL, correlationid="canary-incident",
        causationid="canary-cause",
    )  # fmt: skip


JOURNAL = [
    event(NotificationPrepared, 0, statutes=["14-33"]),
    event(NotificationHeld, 1, reasons=[HoldReason.GATE, HoldReason.UNANNOUNCED]),
    event(NotificationPrepared, 2, notice="n-2"),
    event(NotificationReleased, 3),
    event(NotificationFailed, 4, reason=FailureReason.NOT_FOUND, by="officer-7"),
    event(NotificationServed, 40, by="officer-7", served_at=START + timedelta(minutes=35), proof=Proof.SIGNATURE),
    event(NotificationCorrected, 50, reason=CancelReason.RETRACTED),
]


def service(**more: Any) -> Service:
    fields: dict[str, Any] = {
        "notification_id": NOTICE,
        "letter": BOOK.render(example(Kind.C)),
        "served_by": "Det. R. Poe",
        "served_at": START + timedelta(minutes=35),
        "channel": Channel.LETTER_IN_HAND,
        "proof": Proof.SIGNATURE,
        "zone": ZoneInfo("America/New_York"),
        "audit": audit_of(NOTICE, JOURNAL),
    }
    return Service(**(fields | more))


def opened(packet: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packet)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_same_service_same_bytes() -> None:
    assert service_packet(service(), BOOK.county) == service_packet(service(), load_letters(SAMPLE_COUNTY).county)


def test_it_holds_the_letter_as_served_and_the_hash_of_each_file() -> None:
    made = service().letter
    files = opened(service_packet(service(), BOOK.county))
    assert list(files) == ["audit.jsonl", "letter.pdf", "manifest.json", "service.pdf"]
    assert files["letter.pdf"] == made.content
    manifest = json.loads(files["manifest.json"])
    assert manifest["files"] == {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in files.items()
        if name != "manifest.json"
    }
    assert manifest["files"]["letter.pdf"]["sha256"] == made.sha256
    assert manifest["template"] == {"key": "letters/c-en", "version": "1", "sha256": made.template_sha256}
    assert manifest["signed_off"]["sha256"] == made.template_sha256


def test_a_person_can_read_who_when_and_how() -> None:
    read = Read.of(opened(service_packet(service(recorded_by="clerk-2"), BOOK.county))["service.pdf"])
    for words in (
        "Det. R. Poe",
        "clerk-2",
        "2026-03-08 03:05 EDT (2026-03-08T07:05:00Z)",
        "letter in hand",
        "signature",
    ):
        assert "".join(words.split()) in read.solid, words
    assert service().letter.sha256 in read.solid and service().letter.template_sha256 in read.solid
    assert "SAMPLE: NOT FOR USE" in read.text
    assert read.root["/MarkInfo"]["/Marked"].value is True and "/TH" in read.tags()
    signed = BOOK.signoffs.root[0].model_copy(update={"sample": False})
    real = replace(service().letter, signed_off=signed)
    content = opened(service_packet(service(letter=real), BOOK.county))["service.pdf"]
    assert "SAMPLE" not in Read.of(content).text.replace("Sample", "")


def test_nor_does_it_say_who_let_it_go_or_when_one_reason_of_two_fell_away() -> None:
    both, gate = [HoldReason.GATE, HoldReason.UNANNOUNCED], [HoldReason.GATE]
    journal = [
        event(NotificationHeld, 1, reasons=both),
        event(NotificationHeld, 2, reasons=both, by="canary-supervisor"),
        event(NotificationHeld, 3, reasons=gate, by="canary-coordinator"),
        event(NotificationReleased, 4, by="canary-supervisor"),
        event(NotificationHeld, 5, reasons=gate),
    ]
    lines = audit_of(NOTICE, journal)
    assert [(line.change, line.by, line.event_id) for line in lines] == [
        ("waiting", "system", "e-1"),
        ("released", "system", "e-4"),
        ("waiting", "system", "e-5"),
    ]


def test_nor_the_minute_at_which_it_was_let_go_or_taken_back() -> None:
    """A gate shuts and clears with what was done for her; in custody it clears at once."""
    shut = [HoldReason.GATE]
    taken_back = [
        event(NotificationPrepared, 0),
        event(NotificationHeld, 1, reasons=shut),
        event(NotificationReleased, 7),
        event(NotificationHeld, 11, reasons=shut),
        event(NotificationReleased, 60 * 24),
        event(NotificationServed, 60 * 25, served_at=START + timedelta(hours=25), proof=Proof.SIGNATURE),
    ]
    files = opened(service_packet(service(audit=audit_of(NOTICE, taken_back)), BOOK.county))
    lines = [json.loads(line) for line in files["audit.jsonl"].splitlines()]
    days = ["2026-03-08", "2026-03-08", "2026-03-08", "2026-03-09"]
    assert [line["at"] for line in lines[1:5]] == days
    assert lines[0]["at"] == "2026-03-08T06:30:00Z"
    told = files["audit.jsonl"].decode() + Read.of(files["service.pdf"]).text
    for minute in ("06:31", "06:37", "06:41"):
        assert minute not in told


def test_nor_the_minute_at_which_a_gate_that_shut_took_his_place_at_a_call_in() -> None:
    journal = [
        event(NotificationPlanned, 5, planned_from=START + timedelta(days=9), by="some.coordinator"),
        event(NotificationHeld, 11, reasons=[HoldReason.GATE]),
        event(NotificationPlanned, 11, by="canary-supervisor"),
    ]
    planned, _, off = audit_of(NOTICE, journal)
    assert (planned.change, planned.at, planned.by) == ("planned", date(2026, 3, 8), "system")
    assert (off.change, off.at, off.by) == ("planned", date(2026, 3, 8), "system")


def test_the_audit_extract_is_of_this_notice_and_says_waiting_but_never_why() -> None:
    files = opened(service_packet(service(), BOOK.county))
    lines = [json.loads(line) for line in files["audit.jsonl"].splitlines()]
    assert [line["change"] for line in lines] == ["prepared", "waiting", "released", "failed", "served", "corrected"]
    assert lines[1] == {
        "at": "2026-03-08",
        "event_id": "e-1",
        "change": "waiting",
        "by": "system",
        "detail": "",
    }
    assert lines[4]["detail"] == "letter_in_hand, signature, 2026-03-08T07:05:00Z"
    told = b"".join(files.values()) + Read.of(files["service.pdf"]).text.encode()
    for never in (b"gate", b"unannounced", b"canary", b"pair"):
        assert never not in told.lower()


def test_bytes_that_were_not_served_make_no_packet() -> None:
    made = service().letter
    with pytest.raises(LetterError, match="not the bytes that were served"):
        service_packet(service(letter=replace(made, content=made.content + b" ")), BOOK.county)
    with pytest.raises(LetterError, match="draft"):
        service_packet(service(letter=BOOK.draft(example(Kind.C))), BOOK.county)


def test_a_long_history_runs_over_pages() -> None:
    audit = tuple(line for _ in range(40) for line in audit_of(NOTICE, JOURNAL))
    read = Read.of(opened(service_packet(service(audit=audit), BOOK.county))["service.pdf"])
    assert len(read.reader.pages) > 3 and read.text.count("waiting") == 40


def test_a_signature_of_a_sample_is_no_signature_where_there_is_a_real_one() -> None:
    sample = BOOK.signoffs.root[0]
    real = sample.model_copy(update={"sample": False, "by": "J. Doe"})
    template = BOOK.template(Kind.A, "en")
    assert SignOffs((sample, real)).require(template).by == SignOffs((real, sample)).require(template).by == "J. Doe"
