"""A delivery over HTTP: taken, on the stream, and only then acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from services.common.database import Database
from services.intake.domain import Feed, Terms, Unit
from services.intake.store.receipts import Receipt
from services.intake.usecases.sending import Sender
from services.intake.usecases.taking import take_with_receipt


async def receive(
    database: Database,
    sender: Sender,
    terms: Terms,
    receipt_id: str,
    units: Sequence[Unit],
    feed: Feed,
    digest: str,
) -> Receipt:
    """Returns when the broker has answered for all of it; sent again, the same receipt.

    Raises `FeedPausedError` (nothing was taken), `StreamError` (it is taken, and goes out later: the sender asks again).
    """
    receipt = await take_with_receipt(database, receipt_id, units, feed, datetime.now(UTC), terms, digest)
    await sender.deliver(receipt.upto)
    return receipt
