"""Classifier, notifier and victim outreach as processes on real Kafka, moved and judged by a test that holds their clock.

Every record carries the time the test says it is, so days pass in no time; only what comes over HTTP has the real time, and
ends the story of its lanes. Each story has lanes of its own, whose clocks no other story has moved.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from schemas.commands import (
    Attempt,
    CancelNotification,
    Claim,
    Complete,
    Fail,
    LiftableHold,
    LiftHold,
    LiftSafetyHold,
    OverrideGate,
    OverrideReason,
    PersonCommand,
    Role,
    SafetyHold,
    Serve,
)
from schemas.envelope import Data, Event, Message, encode, pair_id
from schemas.incident import (
    Arrest,
    IncidentExpunged,
    IncidentReported,
    IncidentRetracted,
    Offender,
    OffenderMerged,
    OffenderSplit,
    Offense,
    Victim,
)
from schemas.notification import CancelReason, FailureReason, Proof
from schemas.outreach import AttemptOutcome, ContactChannel
from schemas.person import Custody, OffenderDescribed
from schemas.policy_file import load_policy
from schemas.topics import Topic
from services.cli.broker.process import free_port
from services.cli.registry import SERVICES
from services.cli.settled import ends, is_settled
from services.common.clock import period_of, tick_event
from services.common.records import lane_of
from tests.harness import kafka
from tests.harness.county_model import Acts, County, Incident, Told
from tests.harness.pipeline import Pipeline
from tests.harness.replicas import wait_for

AGENCY = "NC0410200"
COMMANDS = {
    "classifier": Topic.CLASSIFIER_COMMANDS,
    "notifier": Topic.NOTIFIER_COMMANDS,
    "victim_outreach": Topic.VICTIM_OUTREACH_COMMANDS,
}
TOKEN = "a token for tests only"
PROMPT_S = 5.0
POLICY = load_policy("high-point-practice")
GIVEN = frozenset({"served", "corrected"})
_TRIES = frozenset({AttemptOutcome.REACHED, AttemptOutcome.DECLINED, AttemptOutcome.NO_ANSWER})

Row = sqlite3.Row


class Running:
    """The three services on one pipeline; `lanes` are handed out once."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.free = list(range(pipeline.lanes))
        self.stories = 0
        self.ports = {name: free_port() for name in SERVICES}
        self.admin = AdminClient({"bootstrap.servers": pipeline.bootstrap, "log_level": 0})
        self._producer = Producer({"bootstrap.servers": pipeline.bootstrap, "linger.ms": 0, "log_level": 0})
        tokens = pipeline.folder / "tokens.jsonl"
        entry = {
            "sha256": hashlib.sha256(TOKEN.encode()).hexdigest(),
            "person": "everyone",
            # without those of a system, which has an ORI or a partner's id of its own
            "roles": [str(role) for role in Role if role not in (Role.AGENCY, Role.PARTNER)],
        }
        tokens.touch(mode=0o600)
        tokens.write_text(json.dumps(entry) + "\n")
        self._environment = {"IPVI_AS_OF": "now", "IPVI_TOKENS_FILE": str(tokens)}
        self.processes = {name: self._start(name) for name in SERVICES}
        self.crashed_at = 0.0
        for process in self.processes.values():
            process.wait_said("lane.claimed", pipeline.lanes, timeout=90)

    def _start(self, name: str) -> Any:
        return self.pipeline.start(name, IPVI_API_PORT=str(self.ports[name]), **self._environment)

    def crash(self, name: str) -> None:
        """`kill -9`, and another in its place."""
        self.processes[name].kill()
        self.processes[name] = self._start(name)
        self.crashed_at = time.monotonic()

    def write(self, topic: Topic, lane: int, message: Message) -> None:
        """Returns once the broker has it."""
        failed: list[object] = []
        self._producer.produce(
            str(topic),
            value=message.value,
            key=message.key,
            partition=lane,
            headers=list(message.headers),
            on_delivery=lambda error, _: failed.append(error) if error else None,
        )
        assert self._producer.flush(20) == 0 and not failed, failed

    def rows(self, service: str, statement: str, *values: Any) -> list[Row]:
        """What SQL of one service says now."""
        path = self.pipeline.folder / f"{service}.db"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as connection:
            connection.row_factory = sqlite3.Row
            return list(connection.execute(statement, values))

    def settled(self) -> bool:
        at = {}
        for name in SERVICES:
            for row in self.rows(name, "SELECT topic, lane, next_offset, published FROM positions"):
                at[(name, row["topic"], row["lane"])] = (row["next_offset"], row["published"])
        topics = sorted({topic for _, topic, _ in at})
        found = ends(self.admin, topics, self.pipeline.lanes)
        return all(
            is_settled({(topic, lane): place for (of, topic, lane), place in at.items() if of == name}, of_service)
            for name in SERVICES
            if (
                of_service := {
                    place: end for place, end in found.items() if place[0] in {t for of, t, _ in at if of == name}
                }
            )
        )

    def wait_settled(self) -> None:
        """Twice in a row: in between, each could answer what the other said last."""
        for _ in range(2):
            wait_for(self.settled, 90, lambda: "\n".join(process.tail() for process in self.processes.values()))


@dataclass
class Sent:
    """A person's command, and what the world does with the news that it was applied."""

    service: str
    id: str
    then: Callable[[], None] = lambda: None


@dataclass
class World:
    """One story: some offenders in lanes of their own, what was told and done, and the time it is there."""

    running: Running
    offenders: list[str] = field(default_factory=list)
    spare: list[str] = field(default_factory=list)
    """Ids that a split may give."""
    lanes: list[int] = field(default_factory=list)
    county: County = field(default_factory=County)
    acts: Acts = field(default_factory=Acts)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    fed: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    """By service, source and id of every record that it must have taken."""
    expunged: set[str] = field(default_factory=set)
    """Ids of records about expunged incidents: the inbox forgets them."""
    about: dict[str, str] = field(default_factory=dict)
    """By id of a command, the pair it is about."""
    waiting: list[Sent] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    """How often each outcome was told: a story in which every act is refused shows nothing."""
    longest: float = 0.0
    """Seconds from the report to her first task, at the most."""

    @classmethod
    def new(cls, running: Running, people: int = 3, lanes: int = 2, spare: int = 2) -> World:
        running.stories += 1
        mine, running.free = running.free[:lanes], running.free[lanes:]
        start = datetime.fromtimestamp(int(time.time()) // 3_600 * 3_600, UTC) - timedelta(days=100)
        world = cls(running, lanes=mine, now=start)
        number = 0
        while len(world.offenders) < people + spare:
            number += 1
            name = f"S{running.stories}-{number}"
            if lane_of(name, running.pipeline.lanes) == mine[len(world.offenders) % lanes]:
                world.offenders.append(name)
        world.offenders, world.spare = world.offenders[:people], world.offenders[people:]
        world.tick()
        return world

    # moves -----------------------------------------------------------------------------------------------------------

    def report(self, offender: str, victims: dict[int, str], *, charged: bool) -> None:
        """A new incident; if the services are well, her task is there within 5 s of the report."""
        number = sum(one.reported_as == offender for one in self.county.incidents.values())
        incident = Incident(f"{AGENCY}:{offender}-{number}", offender, Told(dict(victims), charged))
        self.county.incidents[incident.incident_id] = incident
        since = time.monotonic()
        self._feed(Topic.INCIDENTS, offender, self._reported(incident), ["classifier"])
        if incident.told and incident.told.intimate and since - self.running.crashed_at > 20:
            self._wait_for_tasks(incident, since)

    def _wait_for_tasks(self, incident: Incident, since: float) -> None:
        told = incident.told
        assert told is not None
        query = (
            "SELECT DISTINCT r.victim_no FROM tasks t JOIN referrals r USING (offender_id, referral_id) "
            "WHERE r.incident_id = ? AND NOT r.withdrawn"
        )

        def there() -> bool:
            rows = self.running.rows("victim_outreach", query, incident.incident_id)
            return {row["victim_no"] for row in rows} >= told.intimate

        while not there():
            assert time.monotonic() - since < PROMPT_S, f"no task within {PROMPT_S} s"
            time.sleep(0.02)
        self.longest = max(self.longest, time.monotonic() - since)

    def revise(self, incident: Incident, victims: dict[int, str], *, charged: bool) -> None:
        incident.revision += 1
        if not incident.final:
            incident.told = Told(dict(victims), charged)
        told = Told(dict(victims), charged)
        self._feed(Topic.INCIDENTS, incident.reported_as, self._reported(incident, told), ["classifier"])

    def retract(self, incident: Incident, *, final: bool) -> None:
        incident.told, incident.final = None, incident.final or final
        data = IncidentRetracted(
            incident_id=incident.incident_id,
            offender_id=incident.reported_as,
            agency=AGENCY,
            revision=None if final else incident.revision,
        )
        self._feed(Topic.INCIDENTS, incident.reported_as, data, ["classifier"])

    def expunge(self, incident: Incident) -> None:
        incident.told, incident.final, incident.expunged = None, True, True
        data = IncidentExpunged(incident_id=incident.incident_id, offender_id=incident.reported_as, agency=AGENCY)
        self._feed(Topic.INCIDENTS, incident.reported_as, data, ["classifier"])

    def merge(self, survivor: str, merged: str) -> None:
        self.county.merged_into[merged] = survivor
        data = OffenderMerged(offender_id=survivor, merged_offender_id=merged)
        self._feed(Topic.INCIDENTS, survivor, data, ["classifier"])

    def split(self, incidents: Sequence[Incident]) -> None:
        """They were another man's. All of one record."""
        person, other = self.county.owner(incidents[0]), self.spare.pop()
        self.offenders.append(other)
        moved = [one.incident_id for one in incidents if self.county.owner(one) == person]
        self.county.split_off.update(dict.fromkeys(moved, other))
        data = OffenderSplit(offender_id=person, new_offender_id=other, incident_ids=moved)
        self._feed(Topic.INCIDENTS, person, data, ["classifier"])

    def custody(self, offender: str, booking: str, *, released: bool) -> None:
        where = Custody(booking_id=booking, booked_at=self.now, released_at=self.now if released else None)
        data = OffenderDescribed(offender_id=offender, custody=where)
        self._feed(Topic.OFFENDERS, offender, data, ["notifier", "victim_outreach"])

    def work(self, task: Row, *, channel: ContactChannel, outcome: AttemptOutcome, steps: int) -> None:
        """Claim; with two steps try; with three complete. By a supervisor, who may work on anybody's."""
        common: dict[str, Any] = {
            "offender_id": task["offender_id"],
            "task_id": task["task_id"],
            "by": "sup",
            "role": Role.OUTREACH_SUPERVISOR,
        }
        her, pair = self._victim(task), task["pair_id"]
        self._command("victim_outreach", Claim(**common), pair=pair)
        if steps > 1:
            at = self.now

            def tried() -> None:
                if outcome in _TRIES:
                    self.acts.tried.setdefault(her, []).append(at)

            made = Attempt(**common, channel=channel, outcome=outcome, attempted_at=at)
            self._command("victim_outreach", made, tried, pair)
        if steps > 2:
            self._command(
                "victim_outreach",
                Complete(**common),
                lambda at=self.now: self.acts.spoken.setdefault(her, []).append(at),  # type: ignore[misc]
                pair,
            )

    def _victim(self, task: Row) -> str:
        [row] = self.running.rows(
            "victim_outreach",
            "SELECT victim_id FROM referrals WHERE offender_id = ? AND referral_id = ?",
            task["offender_id"],
            task["referral_id"],
        )
        return str(row["victim_id"])

    def reach_everyone(self, offender: str) -> None:
        """The least outreach for each of his victims; then five hours go by, after which his gates can clear."""
        where = "kind IN ('call', 'in_person_contact') AND state NOT IN ('completed', 'cancelled')"
        for task in self.mine("victim_outreach", "tasks", where):
            if task["offender_id"] == offender:
                self.work(task, channel=ContactChannel.CALL, outcome=AttemptOutcome.REACHED, steps=2)
        self.running.wait_settled()
        self.jump(5 * 60)

    def hold(self, offender: str) -> None:
        number = len(self.fed["victim_outreach"])
        self._command(
            "victim_outreach",
            SafetyHold(offender_id=offender, by="ada", role=Role.ADVOCATE, hold_id=f"H-{offender}-{number}"),
        )

    def lift_hold(self, hold: Row) -> None:
        data = LiftSafetyHold(
            offender_id=hold["offender_id"], by="sup", role=Role.OUTREACH_SUPERVISOR, hold_id=hold["hold_id"]
        )
        self._command("victim_outreach", data)

    def override(self, gate: Row, people: Sequence[str]) -> None:
        pair = gate["pair_id"]
        for by in people:
            data = OverrideGate(
                offender_id=gate["offender_id"],
                by=by,
                role=Role.COORDINATOR,
                pair_id=pair,
                reason=OverrideReason.VICTIM_UNREACHABLE,
            )
            self._command(
                "victim_outreach",
                data,
                lambda by=by: self.acts.overriders.setdefault(pair, set()).add(by),  # type: ignore[misc]
                pair,
            )

    def act_on(self, notice: Row, act: str) -> None:
        """What an officer or a coordinator does with a notice."""
        common: dict[str, Any] = {"offender_id": notice["offender_id"], "notification_id": notice["notification_id"]}
        officer = {**common, "by": "olin", "role": Role.OFFICER}
        coordinator = {**common, "by": "cora", "role": Role.COORDINATOR}
        supervisor = {**common, "by": "sup", "role": Role.OUTREACH_SUPERVISOR}

        def say(data: PersonCommand) -> None:
            self._command("notifier", data, pair=notice["pair_id"])

        match act:
            case "serve":
                say(Serve(**officer, served_at=self.now, proof=Proof.SIGNATURE))
            case "fail":
                say(Fail(**officer, reason=FailureReason.NOT_FOUND))
            case "cancel":
                say(CancelNotification(**coordinator, reason=CancelReason.BY_PERSON))
            case "lift":
                liftable = {hold.value for hold in LiftableHold}
                for reason in sorted(liftable & set(json.loads(notice["reasons"]))):
                    say(LiftHold(**coordinator, hold=LiftableHold(reason)))
                    say(LiftHold(**supervisor, hold=LiftableHold(reason)))

    def jump(self, minutes: int) -> None:
        """Time passes; the services' clocks tick at the end of it."""
        self.now += timedelta(minutes=minutes)
        self.tick()

    def tick(self) -> None:
        """On the next round of five minutes; outreach first, so that its heartbeat is on the way."""
        step = timedelta(minutes=5)
        self.now = datetime.fromtimestamp((self.now.timestamp() // 300 + 1) * 300, UTC)
        for name in ("victim_outreach", "classifier", "notifier"):
            self._tick(name)
            if name == "victim_outreach":
                self._wait_for_heartbeats(step)

    def _tick(self, name: str) -> None:
        period = period_of(self.now)
        for lane in self.lanes:
            event = tick_event(SERVICES[name].tick, name, lane, period)
            stamped = Event(**{**_fields(event), "recordedtime": self.now})
            self._write(COMMANDS[name], lane, stamped)

    def _wait_for_heartbeats(self, step: timedelta) -> None:
        """A notifier that ticks before it heard them would hold everything for good reason, and show nothing."""
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            rows = self.running.rows("notifier", "SELECT lane, heard FROM lanes")
            heard = {row["lane"]: json.loads(row["heard"]).get("ipvi.gate.heartbeat.v1") for row in rows}
            if all(heard.get(lane, "") == self.now.isoformat() for lane in self.lanes):
                return
            time.sleep(0.02)

    # writing ---------------------------------------------------------------------------------------------------------

    def _reported(self, incident: Incident, told: Told | None = None) -> IncidentReported:
        told = told or incident.told
        assert told is not None
        number = incident.incident_id.partition(":")[2]
        occurred = self.now - timedelta(hours=1)
        return IncidentReported(
            incident_id=incident.incident_id,
            revision=incident.revision,
            agency=AGENCY,
            occurred_at=occurred,
            reported_at=self.now,
            offender=Offender(offender_id=incident.reported_as, age=30),
            victims=[
                Victim(victim_no=no, victim_id=f"V-{incident.reported_as}-{no}", relationship=relationship)
                for no, relationship in told.victims.items()
            ],
            offenses=[Offense(code="13B", charged=told.charged, force=["40"])],
            probable_cause=told.charged or None,
            offender_informed=told.charged or None,
            arrest=Arrest(arrest_id=f"{AGENCY}:A-{number}", arrested_at=occurred, type="O") if told.charged else None,
        )

    def _feed(self, topic: Topic, offender: str, data: Data, readers: Sequence[str]) -> None:
        self.now += timedelta(seconds=1)
        event = Event(
            id=f"{offender}-{self.now.isoformat()}",
            source="/tests/two-sides",
            subject=offender,
            time=self.now,
            recordedtime=self.now,
            data=data,
            dataclassification=topic.classification,
        )
        for reader in readers:
            self.fed[reader].append((event.source, event.id))
        for incident_id in (getattr(data, "incident_id", ""), *getattr(data, "incident_ids", ())):
            if (incident := self.county.incidents.get(incident_id)) is None:
                continue
            incident.records.append(event.id)
            if incident.expunged:
                self.expunged.update(incident.records)
        message = encode(event)
        assert message.key is not None
        self._write(topic, lane_of(message.key.decode(), self.running.pipeline.lanes), event)

    def _command(
        self, service: str, data: PersonCommand, then: Callable[[], None] = lambda: None, pair: str = ""
    ) -> None:
        self._feed(COMMANDS[service], data.offender_id, data, [service])
        sent = self.fed[service][-1][1]
        self.about[sent] = pair
        self.waiting.append(Sent(service, sent, then))

    def _write(self, topic: Topic, lane: int, event: Event[Any]) -> None:
        self.running.write(topic, lane, encode(event))

    # looking ---------------------------------------------------------------------------------------------------------

    def mine(self, service: str, table: str, where: str = "1") -> list[Row]:
        """Rows of this story's offenders, in a fixed order."""
        marks = ",".join("?" * len(self.offenders))
        query = f"SELECT * FROM {table} WHERE offender_id IN ({marks}) AND {where} ORDER BY 1, 2, 3"  # noqa: S608
        return self.running.rows(service, query, *self.offenders)

    @property
    def people(self) -> list[str]:
        return [one for one in self.offenders if one not in self.county.merged_into]

    def check(self, *, ticked_last: bool = False) -> None:
        """Everything the two sides promise each other, once they have had all their effects.

        `ticked_last`: no record has come since the last tick.
        """
        self.running.wait_settled()
        self._nothing_lost()
        self._hear_what_was_applied()
        tasks = self.mine("victim_outreach", "tasks")
        referrals = self.mine("victim_outreach", "referrals")
        gates = {row["pair_id"]: row for row in self.mine("victim_outreach", "gates")}
        notices = self.mine("notifier", "notifications")
        self._tiers()
        self._referrals(referrals, tasks)
        self._clocks(tasks, ticked_last=ticked_last)
        self._gates(referrals, gates)
        self._notices(notices, gates)

    def _nothing_lost(self) -> None:
        """Every record took effect, none was rejected, nobody was set aside."""
        for service, fed in self.fed.items():
            known = {(row["source"], row["id"]) for row in self.running.rows(service, "SELECT source, id FROM inbox")}
            lost = [id_ for source, id_ in fed if (source, id_) not in known and not self._forgotten(id_)]
            assert not lost, f"{service}: {lost}"
            outcomes = self.running.rows(service, "SELECT outcome FROM inbox WHERE outcome LIKE 'rejected%'")
            assert not outcomes and not self.running.rows(service, "SELECT 1 FROM parked")

    def _forgotten(self, id_: str) -> bool:
        """Whether it was about an incident that has been expunged since, and may have left the inbox with it."""
        gone = {
            pair_id(one.incident_id, offender)
            for one in self.county.incidents.values()
            if one.expunged
            for offender in self.offenders
        }
        return id_ in self.expunged or self.about.get(id_) in gone

    def _hear_what_was_applied(self) -> None:
        for sent in self.waiting:
            rows = self.running.rows(sent.service, "SELECT outcome FROM inbox WHERE id = ?", sent.id)
            assert len(rows) == 1 or self._forgotten(sent.id)
            outcome = rows[0]["outcome"] if rows else "forgotten"
            self.told[outcome] += 1
            if outcome in ("applied", "forgotten"):  # what is forgotten may have been applied
                sent.then()
        self.waiting.clear()

    def _tiers(self) -> None:
        kept = {row["offender_id"]: row["tier"] for row in self.mine("classifier", "offenders")}
        for person in self.people:
            assert kept.get(person) == self.county.tier(person), f"{person}: {kept.get(person)}"

    def _referrals(self, referrals: list[Row], tasks: list[Row]) -> None:
        """Each intimate victim exactly once, with a task; what was taken back leaves nobody at work."""
        live = [row for row in referrals if not row["withdrawn"] and row["purpose"] == "outreach"]
        for person in self.people:
            found = Counter((row["pair_id"], row["victim_no"]) for row in live if row["offender_id"] == person)
            assert found == Counter(self.county.referred(person)), person
        assert not [row for row in live if row["offender_id"] in self.county.merged_into]
        worked = {(row["offender_id"], row["case_id"]) for row in tasks}
        assert {(row["offender_id"], row["case_id"]) for row in live} <= worked
        gone = {(row["offender_id"], row["referral_id"]) for row in referrals if row["withdrawn"]}
        unfinished = [row for row in tasks if row["state"] not in ("completed", "cancelled")]
        assert not [row for row in unfinished if (row["offender_id"], row["referral_id"]) in gone]

    def _clocks(self, tasks: list[Row], *, ticked_last: bool) -> None:
        """At its due time a task is claimed, closed or escalated; and somebody will look at it again."""
        wakes = {row["offender_id"]: row["wake_at"] for row in self.mine("victim_outreach", "offenders")}
        ticked = self._last_ticks()
        for row in tasks:
            if row["state"] in ("completed", "cancelled"):
                continue
            tick = ticked[self._lane(row["offender_id"])]
            # What was opened since, in place of one that was due, has its turn with the next tick, a minute on. So has what a
            # record opened that came after the tick with an earlier time; for that somebody is paged at once.
            late = _moment(row["due_at"]) <= tick and _moment(row["opened_at"]) < tick
            if late and not row["claimed_by"]:
                paged_since = not ticked_last and row["alerts"] == 1 and _moment(row["alerted_at"]) >= tick
                assert row["escalation"] >= 1 or paged_since, f"{row['task_id']} lies"
                assert row["duty"] in POLICY.outreach.duty[row["owner"]], f"nobody is called for {row['task_id']}"
            assert wakes[row["offender_id"]] is not None, f"nobody's clock wakes for {row['task_id']}"

    def _last_ticks(self) -> dict[int, datetime]:
        rows = self.running.rows("victim_outreach", "SELECT lane, last_tick FROM lanes")
        return {row["lane"]: datetime.fromtimestamp(row["last_tick"] * 60, UTC) for row in rows}

    def _lane(self, offender: str) -> int:
        return lane_of(offender, self.running.pipeline.lanes)

    def _gates(self, referrals: list[Row], gates: dict[str, Row]) -> None:
        """Every pair with somebody to reach has one, and none is clear without a ground that the test knows of."""
        victims: dict[str, list[str]] = defaultdict(list)
        for row in referrals:
            if not row["withdrawn"] and row["purpose"] == "outreach":
                victims[row["pair_id"]].append(row["victim_id"])
        assert victims.keys() <= gates.keys()
        for pair, whose in victims.items():
            if gates[pair]["state"] == "clear":
                assert self.acts.grounds(pair, whose), f"{pair} is clear and nobody was reached"

    def _notices(self, notices: list[Row], gates: dict[str, Row]) -> None:
        """Free only where every open pair's gate is clear and nobody holds it; one per tier and person."""
        held = {row["offender_id"] for row in self.mine("victim_outreach", "holds", "ended_at IS NULL")}
        for row in notices:
            if row["state"] not in ("released", "failed"):
                continue
            person = row["offender_id"]
            assert person not in held, f"{row['notification_id']} is free during a safety hold"
            pairs = {pair for pair, _ in self.county.referred(person)}
            assert pairs, f"{row['notification_id']} is free and nothing is open"
            assert {gates[pair]["state"] for pair in pairs} == {"clear"}, f"{row['notification_id']} is free"
        standing = [row for row in notices if row["state"] != "cancelled"]
        of_record = Counter((row["offender_id"], row["tier"]) for row in standing)
        assert not [each for each, count in of_record.items() if count > 1]
        # Behind two records he may have been given it twice before anybody knew; from then on he is not given it again.
        given = {(self.county.person(row["offender_id"]), row["tier"]) for row in standing if row["state"] in GIVEN}
        to_give = Counter(
            (self.county.person(row["offender_id"]), row["tier"]) for row in standing if row["state"] not in GIVEN
        )
        assert not [each for each, count in to_give.items() if count > 1 or each in given]

    # the end ---------------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """The last of the work over HTTP and in real time, then both sides must agree on everything."""
        self.check()
        self._work_over_http()
        self.now = datetime.now(UTC) - timedelta(minutes=10)  # the next round is past, and after all that was done
        self.tick()
        self.check(ticked_last=True)
        assert self.running.pipeline.summary()["pairs"]["incomplete"] == 0
        self._story_of_releases()

    def _client(self, service: str) -> httpx.Client:
        base = f"http://127.0.0.1:{self.running.ports[service]}/v1"
        return httpx.Client(base_url=base, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30, verify=False)

    def _work_over_http(self) -> None:
        """Each task that is left is taken, tried and completed; each answer is true, and the same when asked again."""
        with self._client("victim_outreach") as client:
            listed = _all_pages(client, "/tasks?limit=50")
            mine = {row["task_id"]: row for row in self.mine("victim_outreach", "tasks")}
            for line in [line for line in listed if line["task_id"] in mine][:8]:
                row = mine[line["task_id"]]
                task = f"/tasks/{line['task_id']}"
                at = datetime.now(UTC) - timedelta(hours=5)
                attempt = {"channel": "call", "outcome": "reached", "attempted_at": at.isoformat()}
                self._do(client, f"{task}/claim", None, line["version"])
                if self._do(client, f"{task}/attempt", attempt):
                    self.acts.tried.setdefault(self._victim(row), []).append(at)
                if self._do(client, f"{task}/complete", None):
                    self.acts.spoken.setdefault(self._victim(row), []).append(at)

    def _do(self, client: httpx.Client, path: str, body: Any, version: str | None = None) -> bool:
        key = {"Idempotency-Key": hashlib.sha256(f"{path}{body}".encode()).hexdigest()}
        headers = key | ({"If-Match": f'"{version}"'} if version else {})
        first = client.post(path, json=body, headers=headers)
        again = client.post(path, json=body, headers=headers)
        assert first.status_code in (200, 409), first.text  # 409: another step has closed it
        assert (again.status_code, again.json()) == (first.status_code, first.json())
        other = client.post(path, json=body, headers=key | {"If-Match": '"another"'})
        assert (other.status_code, other.json()["code"]) == (422, "key_reused")
        return first.status_code == 200

    def _story_of_releases(self) -> None:
        """In the log: no notice went free before each pair that was open then had once been said to be clear."""
        clear: dict[str, datetime] = {}
        for _, data, at in self._said(Topic.OUTREACH_GATES, "ipvi.gate.changed.v1"):
            if data["gate"] == "clear":
                clear.setdefault(data["pair_id"], at)
        opened: dict[str, list[tuple[datetime, str, bool]]] = defaultdict(list)
        for kind, data, at in self._said(Topic.REFERRALS, "ipvi.referral."):
            live = not kind.startswith("ipvi.referral.withdrawn") and data.get("purpose", "outreach") == "outreach"
            opened[data["offender_id"]].append((at, data["pair_id"], live))
        free: set[str] = set()
        for kind, data, at in self._said(Topic.NOTIFICATIONS, "ipvi.notification."):
            name = kind.split(".")[2]
            self.told[name] += 1
            if name == "served":
                assert data["notification_id"] in free, f"{data['notification_id']} was served and never free"
            if name != "released":
                continue
            free.add(data["notification_id"])
            pairs = {}
            for since, pair, live in opened[data["offender_id"]]:
                if since < at:
                    pairs[pair] = live
            for pair in (pair for pair, live in pairs.items() if live):
                assert pair in clear and clear[pair] <= at, f"{data['notification_id']} was free before {pair}"

    def _said(self, topic: Topic, prefix: str) -> list[tuple[str, dict[str, Any], datetime]]:
        """What was said of this story's offenders, in the log's order: type, data, record time."""
        found = []
        for record in kafka.read_all(self.running.pipeline.bootstrap, str(topic)):
            headers = dict(record.headers)
            kind = headers["ce_type"].decode()
            if not kind.startswith(prefix) or record.value is None:
                continue
            data = json.loads(record.value)
            if data.get("offender_id") in self.offenders:
                found.append((kind, data, datetime.fromisoformat(headers["ce_recordedtime"].decode())))
        return found


def _fields(event: Event[Any]) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__dataclass_fields__}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _all_pages(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    answered = client.get(path)
    found: list[dict[str, Any]] = answered.json()
    while "next" in answered.links:
        answered = client.get(f"{path.partition('?')[0]}{answered.links['next']['url']}")
        found += answered.json()
    return found
