"""What came of a run, counted by a join of its own over the services' tables, not by the code that wrote them.

A pair (incident, offender) with an intimate victim is complete when there is a decision for it, exactly one referral for
each such victim, at least one task for each referral, and, where policy calls for a notice not given before, one
notification with the same `pair_id`. Listed pairs (history load, late report) wait for a person and are counted apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from sqlalchemy import text

from schemas.classification import Tier
from schemas.envelope import pair_id
from schemas.incident import IncidentReported
from schemas.policy import Policy
from schemas.policy_file import load_policy
from services.cli.database import opened
from services.common.settings import CommonSettings
from services.intake.domain import IngestSummary

Rows = list[Mapping[str, Any]]

QUERIES: dict[str, dict[str, str]] = {
    "classifier": {
        "incidents": "SELECT offender_id, incident_id, reported_as, data FROM incidents",
        "decisions": "SELECT pair_id, offender_id, tier, change, outreach FROM decisions ORDER BY offender_id, place",
        "offenders": "SELECT tier, count(*) AS n FROM offenders WHERE tier IS NOT NULL GROUP BY tier",
        "reviews": "SELECT code, count(*) AS n FROM reviews GROUP BY code",
    },
    "victim_outreach": {
        "referrals": "SELECT referral_id, pair_id, victim_no, purpose, outreach FROM referrals WHERE NOT withdrawn",
        "tasks": "SELECT referral_id, state FROM tasks",
    },
    "notifier": {"notifications": "SELECT pair_id, offender_id, tier, state FROM notifications"},
}


class Summary(TypedDict):
    """The JSON of `ipvi run --summary`."""

    input: dict[str, int]
    incidents: dict[str, int]
    offenders: dict[str, int]
    reviews: dict[str, int]
    referrals: int
    tasks: dict[str, int]
    notifications: dict[str, int]
    pairs: dict[str, int]


async def summarise(settings: CommonSettings, fed: IngestSummary) -> Summary:
    """Count everything, each service's tables read by themselves and joined here."""
    found = {name: rows for service in QUERIES for name, rows in (await _read(settings, service)).items()}
    policy = load_policy(settings.policy)
    victims = _intimate_victims(found["incidents"], policy)
    return Summary(
        input={"units": fed.units, "events": fed.events, "rejected": fed.rejected, "no_offender": fed.no_offender},
        incidents={"qualifying": len(victims)},
        offenders=dict.fromkeys("ABCD", 0) | {row["tier"]: row["n"] for row in found["offenders"]},
        reviews={row["code"]: row["n"] for row in found["reviews"]},
        referrals=len(found["referrals"]),
        tasks=_count(found["tasks"], "state"),
        notifications=_count(found["notifications"], "state"),
        pairs=_pairs(victims, found, policy),
    )


async def _read(settings: CommonSettings, service: str) -> dict[str, Rows]:
    async with opened(settings, service) as database, database.read() as conn:
        return {
            name: [dict(row) for row in (await conn.execute(text(query))).mappings()]
            for name, query in QUERIES[service].items()
        }


def _intimate_victims(incidents: Rows, policy: Policy) -> dict[str, set[int]]:
    """Per pair the numbers of its intimate victims; pairs without one are not there."""
    pairs: dict[str, set[int]] = {}
    # Merged records may tell an incident twice; the offender's own telling counts.
    told = {(row["offender_id"], row["incident_id"]): row for row in sorted(incidents, key=_own_telling_last)}
    for row in told.values():
        data = IncidentReported.model_validate_json(row["data"], extra="ignore")
        intimate = {
            victim.victim_no or place
            for place, victim in enumerate(data.victims, 1)
            if victim.relationship in policy.codes.intimate or (policy.codes.child_in_common and victim.child_in_common)
        }
        if intimate:
            pairs[pair_id(row["incident_id"], row["offender_id"])] = intimate
    return pairs


def _own_telling_last(row: Mapping[str, Any]) -> tuple[bool, str]:
    return row["reported_as"] == row["offender_id"], row["reported_as"]


def _pairs(victims: Mapping[str, set[int]], found: Mapping[str, Rows], policy: Policy) -> dict[str, int]:
    decisions = _by(found["decisions"], "pair_id")
    referrals = _by([row for row in found["referrals"] if row["purpose"] == "outreach"], "pair_id")
    tasks = _by(found["tasks"], "referral_id")
    notified = {row["pair_id"] for row in found["notifications"]}
    called_for = _notices_called_for(found["decisions"], found["notifications"], policy)
    counts = Counter({"complete": 0, "incomplete": 0, "listed": 0})
    for pair, numbers in victims.items():
        referred = Counter(row["victim_no"] for row in referrals[pair])
        paired = bool(decisions[pair]) and all(referred[number] == 1 for number in numbers)
        listed = paired and all(row["outreach"] == "listed" for row in referrals[pair])
        worked = all(tasks[row["referral_id"]] for row in referrals[pair])
        complete = paired and worked and (pair not in called_for or pair in notified)
        counts["listed" if listed else "complete" if complete else "incomplete"] += 1
    return dict(counts)


def _notices_called_for(decisions: Rows, notifications: Rows, policy: Policy) -> set[str]:
    """Pairs of the first decision that opened outreach at a tier its offender had no notice for yet.

    Whose tier was lowered may have got the lower tier's notice then, under a pair that was open already.
    """
    lowered = {row["offender_id"] for row in decisions if row["change"] in ("lowered", "removed")}
    given = {(row["offender_id"], row["tier"]) for row in notifications if row["offender_id"] in lowered}
    pairs: set[str] = set()
    for row in decisions:
        tier = row["tier"]
        if tier is None or row["outreach"] != "opened" or policy.tiers[Tier(tier)].offender is None:
            continue
        if (row["offender_id"], tier) not in given:
            given.add((row["offender_id"], tier))
            pairs.add(row["pair_id"])
    return pairs


def _by(rows: Iterable[Mapping[str, Any]], name: str) -> defaultdict[str, Rows]:
    grouped: defaultdict[str, Rows] = defaultdict(list)
    for row in rows:
        grouped[row[name]].append(row)
    return grouped


def _count(rows: Rows, name: str) -> dict[str, int]:
    return dict(sorted(Counter(row[name] for row in rows).items()))
