"""Writes a partner's events to CSV files, a folder a period, with a manifest.

A folder appears whole or not at all, named for the end of its period (UTC). At least once: what was written when the process
died is in the next one too, under the same `event_id`. What is to be erased goes out as `notes.csv`, and leaves, in the same
round, those of the earlier folders that are still there.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import structlog

from schemas.partner import NOTES, SUBSCRIBED, PartnerErased
from schemas.partner_file import CsvDelivery
from services.common import metrics
from services.common.api.tables import as_csv
from services.common.database import Database
from services.common.desk import Reporter
from services.partners.sender.leaving import Sender
from services.partners.store import deliveries
from services.partners.store.deliveries import Delivered, Due

log = structlog.get_logger(__name__)

POLL_S = 30.0
NOTES_FILE = "notes.csv"
MANIFEST = "manifest.json"
_BOTH = ("event_id", "time")
_NOTE = ("type", "events", "mentions", "incident_id")
_NOTE_TYPES = frozenset(note.TYPE for note in NOTES)


def _file(event_type: str) -> str:
    return NOTES_FILE if event_type in _NOTE_TYPES else f"{event_type.split('.')[2]}.csv"


_FILES = frozenset(map(_file, (*SUBSCRIBED, *_NOTE_TYPES)))


@dataclass(slots=True)
class BatchSender(Sender):
    """One replica's, for one partner. `folder` is the partner's own."""

    delivery: CsvDelivery
    folder: Path

    @property
    def period(self) -> timedelta:
        return timedelta(hours=self.delivery.every_hours) * self.pace

    async def run(self, database: Database, reporter: Reporter) -> None:
        """Until cancelled. See `services.common.replica.Companion`; has nothing to say in the log."""
        while True:
            await self.round(database)
            await asyncio.sleep(min(POLL_S, self.period.total_seconds() / 4))

    async def round(self, database: Database) -> Path | None:
        """Write the period that has ended, if one has. Returns its folder."""
        now = self.now()
        async with database.write() as conn:
            while await deliveries.enlist(conn, self.terms.partner.topic, now):
                pass
            if not await self.holds_newest(conn, "batches.another_file"):
                return None
            end = await deliveries.begin_period(conn, now, self.period)
            if end is None:
                return None
            lapsed = await self.lapsed(conn)
            if not lapsed:
                await self.renew(conn, now)
            waiting = await deliveries.waiting(conn)
        ends = [self.fate(one, lapsed=lapsed)[:2] for one in waiting]
        sent = [one for one, (state, _) in zip(waiting, ends, strict=True) if state is Delivered.DONE]
        made = await asyncio.to_thread(self._write, end, sent)
        async with database.write() as conn:
            for one, (state, answer) in zip(waiting, ends, strict=True):
                await deliveries.end(conn, one, state, self.now(), answer)
        metrics.partner_deliveries.labels(self.terms.partner.id, "delivered").inc(len(sent))
        return made

    def _write(self, end: datetime, sent: Sequence[Due]) -> Path:
        rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for one in sent:
            data = orjson.loads(one.body or b"{}")
            row = {"event_id": one.event_id, "time": one.headers["ce_time"], **data}
            rows[_file(one.type)].append(row | ({"type": one.type} if one.type in _NOTE_TYPES else {}))
        files = {name: as_csv(names, rows[name]) for name, names in self.columns().items()}
        name = end.astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")
        part, made = self.folder / f".{name}.part", self.folder / name
        for given_up in self.folder.glob(".*.part"):
            shutil.rmtree(given_up, ignore_errors=True)
        part.mkdir(parents=True, mode=0o750)
        for file, content in files.items():
            (part / file).write_bytes(content)
        counts = {file: len(rows[file]) for file in files}
        (part / MANIFEST).write_text(_manifest(self.terms.partner.id, end, files, counts), "utf-8")
        notes = [row for row in rows[NOTES_FILE] if row["type"] == PartnerErased.TYPE]
        erased = {each for row in notes for each in row["events"]}
        struck = {(each, row.get("incident_id")) for row in notes for each in row.get("mentions", [])}
        shutil.rmtree(made, ignore_errors=True)
        part.rename(made)
        if erased or struck:
            for earlier in sorted(each for each in self.folder.glob("[0-9]*Z") if each != made):
                self._erase(earlier, erased, struck)
        return made

    def _erase(self, batch: Path, events: set[str], struck: set[tuple[str, str | None]]) -> None:
        """Take what is to be erased out of a folder that is still there. What cannot be read there holds up nothing else."""
        for given_up in batch.glob("*.part"):
            given_up.unlink(missing_ok=True)
        changed: dict[str, dict[str, Any]] = {}
        for path in sorted(each for each in batch.glob("*.csv") if each.name in _FILES):
            with self._said(path), suppress(FileNotFoundError):  # the partner has just moved it
                if (now := _without(path, events, struck)) is not None:
                    changed[path.name] = now
        with self._said(batch / MANIFEST):
            _renew_manifest(batch, changed)

    @contextmanager
    def _said(self, path: Path) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, TypeError, KeyError, csv.Error) as fault:
            partner, name = self.terms.partner.id, type(fault).__name__
            log.error("batches.not_erased", partner=partner, batch=path.parent.name, file=path.name, error=name)

    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """Of each file: the event's id and time, then exactly what the partner's file names."""
        asked = {_file(each.event): (*_BOTH, *each.fields) for each in self.terms.partner.events}
        named = _NOTE if self.terms.names_incidents() else _NOTE[:-1]
        return {**asked, NOTES_FILE: (*_BOTH, *named)}


def _manifest(partner: str, end: datetime, files: Mapping[str, bytes], rows: Mapping[str, int]) -> str:
    said = [
        {"name": name, "rows": rows[name], "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    ]
    return json.dumps({"partner": partner, "until": end.isoformat(), "files": said}, indent=2) + "\n"


def _without(path: Path, events: set[str], struck: set[tuple[str, str | None]]) -> dict[str, Any] | None:
    """Write the file again without what is to be erased. Returns what the manifest says of it now; None: nothing changes."""
    names, *lines = csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))
    rows = [dict(zip(names, line, strict=True)) for line in lines]
    kept = [_struck(row, struck) for row in rows if row["event_id"] not in events]
    if kept == rows:
        return None
    content = as_csv(names, [{name: text.removeprefix("'") for name, text in row.items()} for row in kept])
    _replace(path, content)
    return {"rows": len(kept), "sha256": hashlib.sha256(content).hexdigest()}


def _renew_manifest(batch: Path, changed: Mapping[str, Mapping[str, Any]]) -> None:
    """Nothing where there is none any more: the partner fetches as it likes."""
    path = batch / MANIFEST
    if not changed or not path.is_file():
        return
    manifest = json.loads(path.read_text("utf-8"))
    for said in manifest["files"]:
        said |= changed.get(said["name"], {})
    _replace(path, (json.dumps(manifest, indent=2) + "\n").encode())


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}.part")
    fresh.write_bytes(content)
    fresh.replace(path)


def _struck(row: dict[str, str], struck: set[tuple[str, str | None]]) -> dict[str, str]:
    gone = {incident for event_id, incident in struck if event_id == row["event_id"] and incident is not None}
    if not gone or "evidence" not in row:
        return row
    return row | {"evidence": " ".join(each for each in row["evidence"].split() if each not in gone)}
