"""What advocates, officers and coordinators do for victims. Acts go to the log; lists come from SQL.

No address names an offender or a victim: routes go by task, case and pair. Whose act it is and in which role stands in
the credential, never in the form.
"""

from __future__ import annotations

from fastapi import APIRouter

from services.common.api import Reader
from services.common.desk import Desk
from services.victim_outreach.api import cases, finding, holds, measures, paper, tasks
from services.victim_outreach.api.common import Counter
from services.victim_outreach.texts import TextBook


def router(desk: Desk, read: Reader, papers: TextBook | None = None) -> APIRouter:
    """Routes of victim outreach's API. `read` opens a connection to its database; `papers` are the county's texts."""
    api, counter = APIRouter(), Counter(desk, read)
    tasks.add_routes(api, counter)
    cases.add_routes(api, counter)
    finding.add_routes(api, counter)
    holds.add_routes(api, counter)
    measures.add_routes(api, counter)
    paper.add_routes(api, counter, papers)
    return api


__all__ = ["router"]
