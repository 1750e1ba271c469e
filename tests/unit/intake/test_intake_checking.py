"""What is asked of a record once it is read: who may send it, and whether its time has come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.kinds import SentKind
from schemas.rejects import InvalidRecord
from services.intake.checking import OPERATOR, Sender, check, checked
from services.intake.cloudevents import event_in
from services.intake.domain import Format, Unit
from services.intake.settings import WatchedFolder
from tests.harness import feed

NOW = datetime(2025, 2, 1, tzinfo=UTC)
ONE = Sender(feed.ORI, over_http=True)
OTHER = "ZZ0020000"
CHARGE = {"offender_id": "O1", "charge": "13B", "disposition": "acquitted"}
NOTICE = {"offender_id": "O1", "notification_id": "N1", "tier": "C", "served_at": "2025-01-12T02:00:00Z"}
ORDER = {"offender_id": "O1", "order_id": "R1", "kind": "protective_order", "change": "issued"}
BOOKED = {"offender_id": "O1", "booking_id": "B1", "change": "booked", "at": "2025-01-12T02:00:00Z"}
DISPOSED, RECORDED, ORDERED, CUSTODY, EXPUNGED, DESCRIBED = (
    f"ipvi.{kind}.v1"
    for kind in (
        "case.disposed",
        "notification.recorded",
        "order.changed",
        "custody.changed",
        "incident.expunged",
        "offender.described",
    )
)


def verdict(data: dict[str, Any], kind: str, sender: Sender = ONE, **attributes: Any) -> str:
    event = event_in(feed.line(data, kind, **attributes))
    try:
        check(event, sender, NOW)
    except InvalidRecord as wrong:
        return f"{wrong.code} {wrong.field}"
    return ""


@pytest.mark.parametrize(
    ("data", "kind", "said"),
    [
        ({**CHARGE, "arrest_id": f"{feed.ORI}:7"}, DISPOSED, ""),
        ({**CHARGE, "arrest_id": f"{OTHER}:7"}, DISPOSED, "another_agency arrest_id"),
        ({**CHARGE, "arrest_id": "7"}, DISPOSED, "another_agency arrest_id"),
        (NOTICE, RECORDED, "kind_not_allowed type"),
        ({**ORDER, "from": "2025-01-12T02:00:00Z"}, ORDERED, ""),
        (BOOKED, CUSTODY, ""),
        ({"incident_id": f"{feed.ORI}:1", "offender_id": "O1", "agency": feed.ORI}, EXPUNGED, ""),
        (
            {"incident_id": f"{OTHER}:1", "offender_id": "O1", "agency": feed.ORI},
            EXPUNGED,
            "another_agency incident_id",
        ),
        ({"incident_id": f"{feed.ORI}:1", "offender_id": "O1", "agency": OTHER}, EXPUNGED, "another_agency agency"),
    ],
)
def test_without_kinds_an_agency_acquits_and_warns_in_nobody_elses_records(
    data: dict[str, Any], kind: str, said: str
) -> None:
    assert verdict(data, kind) == said


def test_whose_entry_names_a_kind_sends_it_and_nothing_else() -> None:
    court = Sender(feed.ORI, frozenset({SentKind.DISPOSITIONS, SentKind.NOTICES}), over_http=True)
    assert verdict({**CHARGE, "arrest_id": f"{OTHER}:7"}, DISPOSED, court) == ""
    assert verdict(NOTICE, RECORDED, court) == ""
    assert verdict(feed.incident(), "ipvi.incident.reported.v1", court) == "kind_not_allowed type"
    assert verdict(BOOKED, CUSTODY, court) == "kind_not_allowed type"
    foreign = {"incident_id": f"{OTHER}:1", "offender_id": "O1", "agency": OTHER}
    assert verdict(foreign, EXPUNGED, court) == "another_agency agency"


def test_the_countys_own_files_tell_of_any_agency() -> None:
    folder = Sender(feed.ORI)
    for data, kind in (({**CHARGE, "arrest_id": f"{OTHER}:7"}, DISPOSED), (NOTICE, RECORDED)):
        assert (verdict(data, kind, OPERATOR), verdict(data, kind, folder)) == ("", "")
    held = Sender(kinds=frozenset({SentKind.INCIDENTS}))
    assert verdict(NOTICE, RECORDED, held) == "kind_not_allowed type"


def test_a_roster_has_no_kinds() -> None:
    with pytest.raises(ValidationError, match="a roster has no kinds"):
        WatchedFolder(folder=Path("x"), format=Format.ROSTER, kinds=frozenset({SentKind.CUSTODY}))


def ahead(**by: float) -> str:
    return (NOW + timedelta(**by)).isoformat()


@pytest.mark.parametrize(
    ("data", "kind", "attributes", "field"),
    [
        (feed.incident(), "ipvi.incident.reported.v1", {"time": ahead(hours=23)}, None),
        (feed.incident(), "ipvi.incident.reported.v1", {"time": ahead(hours=25)}, "time"),
        (feed.incident(occurred_at=ahead(hours=25)), "ipvi.incident.reported.v1", {}, "occurred_at"),
        (feed.incident(reported_at=ahead(hours=25)), "ipvi.incident.reported.v1", {}, "reported_at"),
        (
            feed.incident(arrest={"arrest_id": "7", "arrested_at": ahead(hours=23), "type": "O"}),
            "ipvi.incident.reported.v1",
            {},
            None,
        ),
        (
            feed.incident(arrest={"arrest_id": "7", "arrested_at": ahead(hours=25), "type": "O"}),
            "ipvi.incident.reported.v1",
            {},
            "arrest.arrested_at",
        ),
        ({**BOOKED, "at": ahead(hours=25)}, CUSTODY, {}, "at"),
        ({**BOOKED, "change": "hearing_set", "at": ahead(days=9)}, CUSTODY, {}, None),
        ({**CHARGE, "arrest_id": "7"}, DISPOSED, {"time": ahead(hours=23)}, None),
        ({**CHARGE, "arrest_id": "7"}, DISPOSED, {"time": ahead(days=900)}, "time"),
        ({**NOTICE, "served_at": ahead(days=2)}, RECORDED, {}, "served_at"),
        ({**ORDER, "from": ahead(days=9), "until": ahead(days=900)}, ORDERED, {"time": ahead(days=9)}, None),
        ({**ORDER, "from": ahead(days=9)}, ORDERED, {"time": ahead(days=10)}, "time"),
        ({**ORDER, "from": ahead(days=900)}, ORDERED, {}, "from"),
        (
            {"offender_id": "O1", "custody": {"booking_id": "B1", "released_at": ahead(days=9)}},
            DESCRIBED,
            {},
            "custody.released_at",
        ),
        ({"offender_id": "O1", "custody": {"booking_id": "B1", "hearing_at": ahead(days=9)}}, DESCRIBED, {}, None),
    ],
)
def test_what_has_not_come_yet_is_refused(
    data: dict[str, Any], kind: str, attributes: dict[str, Any], field: str | None
) -> None:
    assert verdict(data, kind, OPERATOR, **attributes) == (f"in_future {field}" if field else "")


def test_a_unit_that_is_refused_is_kept_whole_for_the_dead_letter() -> None:
    event = event_in(feed.line(NOTICE, RECORDED))
    refused = checked(Unit(3, (event,)), Sender(kinds=frozenset({SentKind.CUSTODY})), NOW, "feed.jsonl")
    assert refused.reject is not None
    assert (refused.events, refused.reject.file, refused.reject.line) == ((), "feed.jsonl", 3)
    assert refused.reject.raw == event.data.canonical()
    assert "N1" not in str(refused.reject)
