"""The clerk's two exports: what became of each charge, and the orders and conditions that bind him.

They are read by the mappings that are shipped, `deploy/mappings/dispositions.yaml` and `orders.yaml`. Rows stand in the order
in which the clerk keyed them in: some late, some twice, some with a charge misspelt (its statute is right), and a few with a
date that is none (`NO_DATE`), which are refused.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from schemas.incident import CaseDisposed, IncidentReported, OrderChanged
from services.cli.simulate import rates
from services.cli.simulate.flat import ZONE
from services.cli.simulate.history import Life
from services.cli.simulate.tables import charge_text, row
from services.intake.identity import Identifiers

_WHO: Final = ("agency", "person", "state_id", "fbi_number", "name", "birth_date")
DISPOSITIONS: Final = (*_WHO, "arrest", "charge", "statute", "disposition", "disposed")
ORDERS: Final = (*_WHO, "order", "kind", "from", "until", "change")
NO_DATE: Final = "00/00/0000"
_VERDICTS: Final = {
    "convicted": "GUILTY",
    "dismissed": "VOLUNTARY DISMISSAL",
    "acquitted": "NOT GUILTY",
    "pending": "PENDING",
}
_KINDS: Final = {"protective_order": "50B DVPO", "pretrial_condition": "PRETRIAL RELEASE"}

Rows = Iterator[tuple[float, bytes]]


def dispositions(life: Life) -> Rows:
    """One row a charge that was disposed of."""
    clerk = _Clerk(life, "dispositions")
    statutes = {
        data.arrest.arrest_id: data.offenses[0].statute or ""
        for sent in life.sent
        if isinstance(data := sent.event.data, IncidentReported) and data.arrest is not None
    }
    for sent in life.sent:
        data = sent.event.data
        if isinstance(data, CaseDisposed):
            agency, _, arrest = data.arrest_id.partition(":")
            statute = statutes[data.arrest_id]
            charge = clerk.keyed(charge_text(statute))
            told = (arrest, charge, statute, _VERDICTS[data.disposition])
            yield from clerk.rows(sent.at, agency, data.offender_id, told, (sent.at,), ())


def orders(life: Life) -> Rows:
    """One row an order or condition."""
    clerk = _Clerk(life, "orders")
    for sent in life.sent:
        data = sent.event.data
        if isinstance(data, OrderChanged):
            agency, _, order = data.order_id.partition(":")
            days = (data.from_, *([data.until] if data.until else []))
            told = (order, _KINDS.get(data.kind, data.kind))
            yield from clerk.rows(sent.at, agency, data.offender_id, told, days, (data.change.upper(),))


class _Clerk:
    """One person's rows, as they were keyed in. Draws of its own: the county stays the same whichever form it is written in."""

    def __init__(self, life: Life, table: str) -> None:
        self._known = {one.offender_id: one.identifiers for one in life.known}
        self._chance = random.Random(f"{life.known[0].person}|{table}" if life.known else table)

    def keyed(self, text: str) -> str:
        """Two letters exchanged, now and then."""
        if not self._happens(rates.MISKEYED):
            return text
        at = self._chance.randrange(len(text) - 1)
        return f"{text[:at]}{text[at + 1]}{text[at]}{text[at + 2 :]}"

    def rows(
        self,
        at: datetime,
        agency: str,
        who: str,
        told: tuple[str, ...],
        days: tuple[datetime, ...],
        rest: tuple[str, ...],
    ) -> Rows:
        keyed = at + timedelta(days=self._chance.uniform(0, 2))
        if self._happens(rates.LATE):
            keyed += timedelta(days=self._chance.uniform(1, rates.LATE_DAYS))
        dates = [f"{day.astimezone(ZONE):%m/%d/%Y %H:%M}" for day in days]
        if self._happens(rates.UNREADABLE):
            dates[0] = NO_DATE
        line = row(*_named(self._known[who], agency), *told, *dates, *rest)
        yield keyed.timestamp(), line
        if self._happens(rates.SENT_TWICE):
            yield (keyed + timedelta(days=self._chance.uniform(1, 30))).timestamp(), line

    def _happens(self, share: float) -> bool:
        return self._chance.random() < share


def _named(him: Identifiers, agency: str) -> tuple[str, ...]:
    """Agency, its own number of him, the state's, the FBI's, name (a docket is never without one) and birth date."""
    own = him.agency_person if him.agency == agency else None
    born = f"{him.birth_date:%m/%d/%Y}" if him.birth_date else ""
    return agency, own or "", him.state_id or "", him.fbi_number or "", him.name or "DOE, JOHN", born
