"""One transaction: what is new in some units, the people it changes, and all that is to be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.common.database import Database
from services.intake.domain import AsOf, Unit
from services.intake.people import People, named
from services.intake.saying import Said, keys_of, say
from services.intake.store import outbox
from services.intake.store.people import load_people, save_people


async def take(database: Database, units: Sequence[Unit], as_of: AsOf, now: datetime) -> tuple[int, Said]:
    """Returns the number of the outbox row up to which the stream must have everything, and what was said.

    Whole or not at all, and the same units again change nothing: whoever does not know how it ended does it again.
    """
    names = {name for unit in units for event in unit.events for name in named(event)}
    names |= {fact.offender_id for unit in units for fact in unit.facts}
    async with database.write() as conn:
        await outbox.alone(conn)
        seen = await outbox.known(conn, keys_of(units))
        known = await load_people(conn, names)
        people = People(known)
        said = say(units, people, seen, as_of)
        await outbox.put(conn, said.keys, said.messages, now)
        await save_people(conn, {name: known[name] for name in people.changed})
        return await outbox.last(conn), said
