"""A service packet for a court: the letter as it was given, who gave it, when and how, and what the journal says of it.

A ZIP with `service.pdf` (to be read), `letter.pdf` (the very bytes that were served), `audit.jsonl` and `manifest.json`
(SHA-256 and size of each). Same service, same bytes. A packet goes to the defence too: it says *waiting* where a notice
was held and never why, and nothing of gates, pairs, overrides or incidents.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any

import orjson

from schemas.envelope import Data, Event, rfc3339
from schemas.notification import (
    Channel,
    Notification,
    NotificationCancelled,
    NotificationCorrected,
    NotificationFailed,
    NotificationHeld,
    NotificationPlanned,
    NotificationReleased,
    NotificationServed,
    NotificationWithdrawn,
    Proof,
)
from services.common.county import County
from services.common.signoffs import marked
from services.common.typesetting import Sheet, pdf
from services.notifier.letters.book import Made
from services.notifier.letters.letter import LetterError

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""ZIP's own beginning of time: when a file was put in is no part of a packet."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One change of the notification, as it may be shown to anybody whom a court lets see it."""

    at: datetime | date
    """Its UTC day alone, where the minute would tell when she was heard."""
    event_id: str
    change: str
    by: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """One letter given to one person. `zone` is the county's; `served_at` any aware time."""

    notification_id: str
    letter: Made
    served_by: str
    served_at: datetime
    channel: Channel
    proof: Proof
    zone: tzinfo
    audit: tuple[AuditLine, ...]
    recorded_by: str | None = None
    """Who entered it, where that is another."""


def audit_of(notification_id: str, events: Iterable[Event[Data]]) -> tuple[AuditLine, ...]:
    """The lines of one notification, out of the journal's events, in their order. Takes no more of each than is its own.

    That it waited is said once, however often its reasons changed; by whom it was held or let go is not said at all, and
    when only to the day: an outreach supervisor's name, or the minute at which a gate let it go or took it back (and his place
    at a call-in with it), would tell what she did (decision 0020).
    """
    found: list[AuditLine] = []
    for event in events:
        data = event.data
        if not isinstance(data, Notification) or data.notification_id != notification_id:
            continue
        change = _change(data)
        if isinstance(data, NotificationHeld) and found and found[-1].change == change:
            continue
        at, by = event.recordedtime or event.time, data.by
        if isinstance(data, NotificationHeld | NotificationReleased | NotificationPlanned):
            found.append(AuditLine(at.astimezone(UTC).date(), event.id, change, "system"))
        else:
            found.append(AuditLine(at, event.id, change, by, _detail(data)))
    return tuple(found)


def service_packet(service: Service, county: County) -> bytes:
    """The packet's bytes. Raises `LetterError` where the letter's bytes are not those that were recorded, or a draft's."""
    made = service.letter
    if hashlib.sha256(made.content).hexdigest() != made.sha256:
        raise LetterError("packet: these are not the bytes that were served")
    if made.signed_off is None:
        raise LetterError("packet: a draft was never served")
    files = {
        "audit.jsonl": b"".join(orjson.dumps(_line(line)) + b"\n" for line in service.audit),
        "letter.pdf": made.content,
        "service.pdf": pdf(_sheet(service, county)),
    }
    return _zip({**files, "manifest.json": _manifest(service, files)})


def _change(data: Notification) -> str:
    return "waiting" if isinstance(data, NotificationHeld) else data.TYPE.split(".")[2]


def _detail(data: Notification) -> str:
    """Codes of closed lists alone. Why it waited is not among them: that could tell what she did."""
    match data:
        case NotificationServed():
            return f"{data.channel}, {data.proof}, {rfc3339(data.served_at)}"
        case NotificationWithdrawn():
            return str(data.mistake or "")
        case NotificationFailed() | NotificationCancelled() | NotificationCorrected():
            return str(data.reason)
        case _:
            return ""


def _sheet(service: Service, county: County) -> Sheet:
    made, signed = service.letter, service.letter.signed_off
    assert signed is not None
    served = service.served_at.astimezone(service.zone)
    rows = [
        ("Notification", service.notification_id),
        ("Served by", service.served_by),
        *([("Recorded by", service.recorded_by)] if service.recorded_by else []),
        ("Served at", f"{served:%Y-%m-%d %H:%M %Z} ({rfc3339(service.served_at)})"),
        ("How", _words(service.channel)),
        ("Proof", _words(service.proof)),
        ("Letter, SHA-256", _grouped(made.sha256)),
        ("Template", f"{made.template}, version {made.version}"),
        ("Template, SHA-256", _grouped(made.template_sha256)),
        ("Signed off by", f"{signed.by}, {signed.role}, {signed.signed_on.isoformat()}"),
    ]
    lines = [[_utc(line.at), line.change, line.by, _words(line.detail)] for line in service.audit]
    return Sheet(
        lang="en",
        title="Record of service",
        author=county.letterhead.agency,
        head=county.letterhead.lines(),
        logo=county.logo,
        date=served.date(),
        blocks=[
            {"kind": "text", "text": "The letter served is letter.pdf in this packet; manifest.json holds the SHA-256 of "
             "every file. A notice states a charge at most; it is no finding against anyone."},
            {"kind": "table", "head": ["Service", ""], "rows": [list(row) for row in rows]},
            {"kind": "heading", "text": "Audit extract, in UTC"},
            {"kind": "table", "head": ["Recorded", "Change", "By", "Detail"], "rows": lines},
        ],
        foot=f"Packet of {made.sha256[:10]}",
        mark=marked(signed, "en"),
    )  # fmt: skip


def _manifest(service: Service, files: Mapping[str, bytes]) -> bytes:
    made = service.letter
    signed = made.signed_off
    content = {
        "notification_id": service.notification_id,
        "served_by": service.served_by,
        "served_at": rfc3339(service.served_at),
        "channel": service.channel,
        "proof": service.proof,
        "template": {"key": made.template, "version": made.version, "sha256": made.template_sha256},
        "signed_off": signed.model_dump(mode="json") if signed else None,
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in sorted(files.items())
        },
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def _zip(files: Mapping[str, bytes]) -> bytes:
    """Stored, in order of name, so that no compressor's version is part of the bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    return out.getvalue()


def _line(line: AuditLine) -> dict[str, Any]:
    return {**asdict(line), "at": rfc3339(line.at) if isinstance(line.at, datetime) else line.at.isoformat()}


def _utc(moment: datetime | date) -> str:
    if not isinstance(moment, datetime):
        return moment.isoformat()
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _words(code: str) -> str:
    return str(code).replace("_", " ")


def _grouped(digest: str) -> str:
    return " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))
