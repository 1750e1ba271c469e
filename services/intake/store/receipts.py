"""Receipts: what became of what an agency sent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.sql import upsert
from services.intake.store.tables import receipts


@dataclass(frozen=True, slots=True)
class Receipt:
    """Counts of one delivery. `rejects`: place in the delivery from 1, code, field and mend of each; no value."""

    receipt_id: str
    agency: str
    at: datetime
    upto: int
    units: int
    events: int
    repeated: int
    rejects: list[dict[str, Any]]
    digest: str


async def find_receipt(conn: AsyncConnection, receipt_id: str) -> Receipt | None:
    row = (await conn.execute(select(receipts).where(receipts.c.receipt_id == receipt_id))).first()
    return Receipt(**row._mapping) if row else None


async def keep_receipt(conn: AsyncConnection, receipt: Receipt) -> None:
    await upsert(conn, receipts, [asdict(receipt)], ["receipt_id"])
