"""Measures of outreach, as victim outreach has published them. No row about a woman is read here, nor could be."""

from __future__ import annotations

from services.cli.database import opened
from services.cli.measures.tables import Table
from services.common.errors import IpviError
from services.common.settings import CommonSettings
from services.victim_outreach.publisher import Publisher
from services.victim_outreach.rules.measures import OutreachTable, Quarter
from services.victim_outreach.store import measures

WITHHELD = "*"
TITLES = {
    "first_contact": ("First spoken with her", "From when her case was opened; `not_reached`: not by the end."),
    "safety_plan": ("Safety plans", ""),
    "overdue": ("Tasks overdue", "Women for whom at least one task ran over its time."),
    "stopped": ("What ended outreach", "The weightiest rule by which a task for her ended undone."),
}
NOTE = f"Women by his gravest list. `{WITHHELD}`: withheld, so that nobody can be told; it may be a large number."


class NotPublishedError(IpviError):
    """The quarter has not settled."""


async def outreach(settings: CommonSettings, text: str) -> list[Table]:
    """Of one quarter. Where it has settled and no service has published it yet, that is done first. Raises `IpviError`."""
    try:
        quarter = Quarter.parse(text)
    except ValueError as wrong:
        raise NotPublishedError(f"--outreach: {wrong}") from None
    async with opened(settings, "victim_outreach") as database:
        await Publisher().publish(database)
        async with database.read() as conn:
            found = await measures.published(conn, quarter)
    if found is None:
        raise NotPublishedError(
            f"{quarter}: published from {quarter.settled_at:%Y-%m-%d} on, if there was outreach by then"
        )
    return [_table(one) for one in found]


def _table(one: OutreachTable) -> Table:
    title, note = TITLES[one.name]
    columns = ("tier", "women", *one.lines[0].cells)
    rows = [(line.tier, *(_cell(each) for each in (line.women, *line.cells.values()))) for line in one.lines]
    return Table(one.name, title, columns, rows, f"{note} {NOTE}".strip())


def _cell(number: int | None) -> str:
    return WITHHELD if number is None else str(number)
