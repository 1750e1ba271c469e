"""What may leave, asked by both senders: at the start of each round, and then of every delivery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.partner import PartnerErased, PartnerTier, PartnerWithdrawn
from services.partners.rules import Terms
from services.partners.store import deliveries
from services.partners.store.deliveries import NOT_ASKED, Delivered, Due

log = structlog.get_logger(__name__)

Fate = tuple[Delivered, str | None, Mapping[str, Any] | None]
"""How a delivery ends, with which answer, and what of it the partner may still be sent; None: it ends unsent."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Sender:
    """One replica's, for one partner. `pace`: by what every wait and period is multiplied (`PartnersSettings`)."""

    terms: Terms
    now: Callable[[], datetime] = field(default=_utc_now, kw_only=True)
    pace: float = field(default=1.0, kw_only=True)
    _stands_back: bool = field(default=False, init=False)
    """Another replica has read another file since."""

    async def holds_newest(self, conn: AsyncConnection, otherwise: str) -> bool:
        """Whether anything may leave from here. `otherwise`: what the log says, once, when it no longer may."""
        stood_back = self._stands_back
        self._stands_back = not await deliveries.holds_newest(conn, self.terms.digest, self.terms.read_at)
        if self._stands_back and not stood_back:
            log.error(otherwise, partner=self.terms.partner.id)
        return not self._stands_back

    async def lapsed(self, conn: AsyncConnection) -> bool:
        clock = await deliveries.record_clock(conn)
        return clock is not None and self.terms.lapsed(clock)

    async def renew(self, conn: AsyncConnection, now: datetime) -> None:
        await deliveries.renew(conn, now, PartnerWithdrawn.TYPE, PartnerTier.TYPE)

    def fate(self, one: Due, *, lapsed: bool) -> Fate:
        """After a lapse only what asks for an erasure leaves."""
        if one.body is None or "erased" in one.headers:
            return Delivered.ERASED, None, None
        if lapsed and one.type != PartnerErased.TYPE:
            return Delivered.LAPSED, None, None
        data = self.terms.still(one.type, orjson.loads(one.body))
        return (Delivered.LAPSED, NOT_ASKED, None) if data is None else (Delivered.DONE, None, data)
