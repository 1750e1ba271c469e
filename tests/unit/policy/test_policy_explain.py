"""`ipvi policy explain`: from files and from the classifier's database, and what is to be told of each kind of incident."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from schemas.envelope import to_json_line
from schemas.incident import Disposition, Offense, ProhibitedBehavior, Victim
from schemas.policy import Policy
from services.classifier.domain import Offender
from services.classifier.domain.explanation import explain
from services.classifier.domain.levers import levers
from services.classifier.rules import rulebook
from services.classifier.store import ClassifierStore
from services.cli.main import app
from services.cli.policy.explain import lines
from services.common.database import Database, database_url
from services.common.migrations import upgrade
from services.common.policies import Policies, PolicyStore
from services.common.settings import CommonSettings
from services.common.tables import lanes
from tests.harness.incidents import (
    PRACTICE,
    SEED,
    Bench,
    disposed,
    expunged,
    incident_id,
    merged,
    noticed,
    report,
    retracted,
)
from tests.harness.policies import changed

NOBODY = Victim(victim_id="V-ST", relationship="ST", offenses=["120"])
HERS = Victim(victim_id="V-BG", relationship="BG", offenses=["13B"])


def told(bench: Bench, him: str = "O-1") -> list[str]:
    return list(lines(explain(bench.offender(him), bench.policy, rulebook(bench.policy)), bench.policy))


def put(*events: object, policy: Policy = PRACTICE) -> Bench:
    bench = Bench(policy)
    bench.put(*events)  # type: ignore[arg-type]
    return bench


def has(said: list[str], *parts: str) -> None:
    for part in parts:
        assert any(part in line for line in said), "\n".join(said)


def test_the_policy_is_named_with_version_and_digest() -> None:
    has(told(put(report(1))), f"policy high-point-practice, version {PRACTICE.version}, digest {PRACTICE.digest}")


def test_what_counts_for_nothing_and_why() -> None:
    said = told(
        put(
            report(1, victims=["SB"], charged=True),
            report(2, victims=["BG", "VO"], charged=True),
            report(3, born=None, offender={"age": 15}, charged=True),
            report(4, charged=True, arrest="A"),
            report(5, charged=True, arrest="A"),
            report(6, charged=True, disposition=Disposition.ACQUITTED),
            report(7, charged=True),
            retracted(7),
        )
    )
    has(
        said,
        "not counted: no partner is known in it",
        "not counted: both were arrested; a person names the predominant aggressor first",
        "not counted: he was under 18",
        "no charge: its arrest is counted with an incident before it",
        "charged, not counted: 13B simple assault (acquitted): acquitted is as if not charged",
        "taken back by their agency, not counted: NC0990100 number 007",
    )


def test_a_charge_that_the_unit_does_not_count() -> None:
    units = changed(PRACTICE, {"charges.unit": "arrest"})
    said = told(put(report(1, offenses=[Offense(code="13B", charged=True)]), policy=units))
    has(said, "counted: a suspicion; no charge: the policy counts by arrest, and there is none")


def test_a_gap_is_told_and_what_nearly_fired() -> None:
    said = told(put(report(1, charged=True), report(2, charged=True), policy=SEED))
    has(said, "no row covers it: a person looks (no_rule)")
    has(said, "nearly: b-second-charge-and-violation (B): violations is 0, must be at least 1")
    assert not any("nearly: a-three" in line for line in said), "two charges short is not nearly"


def test_of_each_row_the_source() -> None:
    row = {"id": "ours", "tier": "A", "source": "Sheriff, memo 7", "when": {"charges": {"at_least": 1}}}
    said = told(put(report(1, charged=True), policy=changed(PRACTICE, rules=[row])))
    has(said, "  ours: Sheriff, memo 7", "fired: ours (A): Sheriff, memo 7")


def test_what_made_it_a_violation() -> None:
    has(told(put(report(1, breach=[ProhibitedBehavior.PROBATION]))), "prohibited behaviour (probation)")
    has(told(put(noticed(day=1), report(2))), "prohibited behaviour (notice_terms: a notice was served to him before)")


def test_nothing_of_what_was_expunged() -> None:
    said = told(put(report(1), report(2, charged=True), expunged(2)))
    assert not any(incident_id(2) in line for line in said)


# levers --------------------------------------------------------------------------------------------------------------


def robbery(number: int, **more: object) -> object:
    return report(number, victims=[NOBODY], offenses=[Offense(code="120", charged=True, statute="14-87")], **more)  # type: ignore[arg-type]


def test_levers_are_charges_for_something_else_and_only_on_a_and_b() -> None:
    charge = [report(1, charged=True), robbery(2)]
    assert levers(put(*charge).offender(), PRACTICE) == (), "C: nothing is gathered"
    (lever,) = levers(put(*charge, report(3, charged=True)).offender(), PRACTICE)
    assert (lever.incident_id, lever.offense, lever.statute) == ("NC0990100:002", "120", "14-87")
    assert (lever.agency, lever.disposition) == ("NC0990100", Disposition.PENDING)
    has(
        told(put(*charge, report(3, charged=True))),
        "levers: charges for something else",
        "120 robbery, 14-87 (pending)",
    )


def test_levers_of_an_incident_that_counts_are_those_for_another() -> None:
    both = [Offense(code="13B", charged=True), Offense(code="120", charged=True)]
    bench = put(report(1, charged=True), report(2, victims=[HERS, NOBODY], offenses=both))
    assert [lever.offense for lever in levers(bench.offender(), PRACTICE)] == ["120"]


def test_what_is_no_lever() -> None:
    two = [report(1, charged=True), report(2, charged=True)]
    minor = robbery(3, born=None, offender={"age": 16})
    bench = put(
        *two,
        minor,
        report(4, victims=["ST"]),
        robbery(5, arrest="A-5"),
        disposed("A-5", Disposition.ACQUITTED, charge="120"),
    )
    assert levers(bench.offender(), PRACTICE) == ()


def test_levers_go_nowhere() -> None:
    """Not into the count, not into a decision, not on any topic."""
    bench = put(report(1, charged=True), report(2, charged=True), robbery(3))
    assert bench.offender().tier == "B"
    assert not any("120" in one.event.data.model_dump_json() for one in bench.said if not one.tombstone)
    assert not any("14-87" in one.event.data.model_dump_json() for one in bench.said if not one.tombstone)


# the command ---------------------------------------------------------------------------------------------------------


def test_from_files(tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_bytes(to_json_line(report(1, charged=True)) + b"\nnot an event\n")
    second.write_bytes(to_json_line(report(2, charged=True)) + b"\n")
    done = CliRunner().invoke(app, ["policy", "explain", "O-1", "--input", str(first), "--input", str(second)])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("O-1: list B\n")


@pytest.mark.parametrize("merge", [False, True])
def test_from_the_classifiers_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, merge: bool) -> None:
    monkeypatch.setenv("IPVI_HOME", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    bench = put(report(1, charged=True), report(2, "O-2", charged=True), *([merged("O-2")] if merge else []))
    asyncio.run(_keep(bench))
    done = CliRunner().invoke(app, ["policy", "explain", "O-2"])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("O-1: list B\n" if merge else "O-2: list C\n")
    assert done.stdout.splitlines() == told(bench, "O-1" if merge else "O-2")


def test_the_policy_of_his_lane_holds_unless_another_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPVI_HOME", str(tmp_path))
    monkeypatch.setenv("IPVI_POLICY", PRACTICE.id)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    asyncio.run(_keep(put(report(1, charged=True), report(2, charged=True)), SEED))

    def under(*more: str) -> str:
        done = CliRunner().invoke(app, ["policy", "explain", "O-1", *more])
        assert done.exit_code == 0, done.output
        return done.stdout.splitlines()[1]

    assert under() == f"policy {SEED.id}, version {SEED.version}, digest {SEED.digest}"
    assert (
        under("--policy", PRACTICE.id) == f"policy {PRACTICE.id}, version {PRACTICE.version}, digest {PRACTICE.digest}"
    )


async def _keep(bench: Bench, kept: Policy | None = None) -> None:
    url = database_url(CommonSettings(), "classifier")
    await upgrade(url, "classifier")
    database = Database(url, "classifier")
    store = bench.service.store
    assert isinstance(store, ClassifierStore)
    try:
        async with database.write() as conn:
            if kept is not None:
                row = {
                    "lane": 0,
                    "epoch": 1,
                    "journal_next": 0,
                    "last_tick": -1,
                    "heard": {},
                    "counted": {},
                    "failures": 0,
                }
                await conn.execute(insert(lanes).values(row | {"kept": kept.digest}))
                await PolicyStore(Policies(kept, lambda one: one)).opened(conn, 0, kept.digest)
            await store.save(conn, 0, {key: (Offender(key), one) for key, one in bench.offenders.items()})
    finally:
        await database.close()


def test_who_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(to_json_line(report(1)))
    done = CliRunner().invoke(app, ["policy", "explain", "O-9", "--input", str(file)])
    assert done.exit_code != 0 and "nothing is known of him" in str(done.exception)
    monkeypatch.setenv("IPVI_HOME", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    done = CliRunner().invoke(app, ["policy", "explain", "O-9"])
    assert done.exit_code != 0 and "cannot be read" in str(done.exception)
