"""What is expunged goes from lists alone, from any other place with its row, and takes no other incident with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from services.common.database import Database, database_url
from services.common.erasing import ERASED_SOURCE, erase, redacted
from services.common.records import STUB
from services.common.service import Redaction
from services.common.settings import CommonSettings
from services.common.tables import inbox, journal, rejects
from tests.harness.probe import Probe, at, make_tables

GONE = 'NC0990100:20/"1'


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (b'{"evidence":["x:1","x:2"],"tier":"B"}', b'{"evidence":["x:2"],"tier":"B"}'),
        (b'{"evidence":["x:1"]}', b'{"evidence":[]}'),
        (b'{"evidence":["x:12"]}', b'{"evidence":["x:12"]}'),
        (b'{"incident_id":"x:1"}', None),
        (b'{"x:1":true}', None),
        (b'["x:1', None),
    ],
)
def test_redacted(value: bytes, left: bytes | None) -> None:
    assert redacted(value, "x:1") == left


def said(seq: int, value: bytes, subject: str | None = "O-1", **more: Any) -> dict[str, Any]:
    return {
        "lane": 0, "seq": seq, "in_topic": "in", "in_offset": seq, "topic": "out", "partition": 0, "key": b"O-1",
        "value": value, "headers": [["ce_id", f"e{seq}"], ["ce_subject", "O-1"]], "about": None, "subject": subject,
        "erased": False, **more,
    }  # fmt: skip


async def test_every_place(tmp_path: Path) -> None:
    settings = CommonSettings(home=tmp_path)
    await make_tables(settings)
    database = Database(database_url(settings, Probe.name), Probe.name)
    rows = [
        said(0, b"its own", about="pair"),
        said(1, b'{"evidence":["NC0990100:20/\\"1","NC0990100:20/"]}'),
        said(2, b'{"evidence":["NC0990100:20/"]}'),
        said(3, b'{"number":"NC0990100:20/\\"1"}'),
        said(4, b'{"number":"NC0990100:20/\\"1"}', "O-2"),
        said(5, b'cut: "NC0990100:20\\/\\"1"', None),
        said(6, b'cut: "NC0990100:20\\/\\"12"', None),
        said(7, b"\xff", headers=[["ce_causationid", f"x {GONE} x"], ["ce_subject", "O-1"]]),
    ]
    async with database.write() as conn:
        await conn.execute(journal.insert(), rows)
        letters = [{"topic": "in", "partition": 0, "offset": n, "code": "broken_json", "at": at(0)} for n in (5, 6)]
        await conn.execute(rejects.insert(), letters)
        seen = {"source": "/a", "id": GONE, "lane": 0, "topic": "in", "offset": 0, "outcome": "applied"}
        await conn.execute(inbox.insert(), [{**seen, "about": "pair"}, {**seen, "id": "other", "about": None}])
        await erase(conn, ["pair"], [Redaction(("O-1",), GONE)])
    async with database.read() as conn:
        found = (await conn.execute(select(journal).order_by(journal.c.seq))).all()
        ids = {(row.source, row.id) for row in await conn.execute(select(inbox))}
    await database.close()
    assert [row.seq for row in found if row.erased] == [0, 3, 5]
    assert all(
        row.value is None and row.headers == [["ce_id", f"e{row.seq}"], [STUB, "true"]] for row in found if row.erased
    )
    assert found[1].value == b'{"evidence":["NC0990100:20/"]}'
    assert [found[n].value for n in (2, 4, 6, 7)] == [rows[n]["value"] for n in (2, 4, 6, 7)]
    assert found[7].headers == [["ce_subject", "O-1"]]
    assert ids == {("/a", "other"), (ERASED_SOURCE, "in/0/0")}
