"""Victim outreach's tables: all it keeps around each offender. A column is named as the field of `domain` it holds."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Enum, Index, Integer, MetaData, String, Table

from schemas.classification import Tier
from schemas.commands import OverrideReason, Role
from schemas.notification import NotificationState
from schemas.outreach import AttemptOutcome, ContactChannel, GateState, TaskCancelReason, TaskKind, TaskOwner, TaskState
from schemas.referral import ReferralOutreach, ReferralPurpose
from services.common.columns import UtcDateTime

metadata = MetaData()


def _code(kind: type[StrEnum]) -> Enum:
    """A code of a closed list, kept as its text; the list may grow without a migration."""
    return Enum(kind, native_enum=False, length=32, values_callable=lambda codes: [code.value for code in codes])


def _table(name: str, *columns: Any, comment: str) -> Table:
    """Every row belongs to one offender, and with him to one lane."""
    offender = (Column("offender_id", String, primary_key=True), Column("lane", Integer, nullable=False))
    return Table(name, metadata, *offender, *columns, comment=comment)


offenders = _table(
    "offenders",
    Column("wake_at", UtcDateTime, comment="when the clock next has work; null: never, as things stand"),
    Column("booking_id", String, comment="where he stands with the jail, as last told"),
    Column("held", Boolean),
    Column("hearing_at", UtcDateTime),
    Column("release_booking_id", String, comment="his last release"),
    Column("released_at", UtcDateTime),
    Column("release_recorded_at", UtcDateTime),
    Index("offenders_due", "lane", "wake_at"),
    comment="custody, and what the sweep goes by",
)

referrals = _table(
    "referrals",
    Column("referral_id", String, primary_key=True),
    Column("pair_id", String, nullable=False),
    Column("case_id", String, nullable=False),
    Column("victim_no", Integer, nullable=False),
    Column("victim_id", String),
    Column("incident_id", String, comment="null once withdrawn: it may have been expunged"),
    Column("occurred_at", UtcDateTime),
    Column("tier", _code(Tier)),
    Column("gravest", _code(Tier), comment="the gravest tier since it was opened"),
    Column("outreach", _code(ReferralOutreach), nullable=False),
    Column("purpose", _code(ReferralPurpose), nullable=False),
    Column("mutual", Boolean, nullable=False),
    Column("homicide", Boolean, nullable=False),
    Column("conflict_of_interest", Boolean, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("opening", Integer, nullable=False, comment="how often it was opened"),
    Column("place", Integer, nullable=False, comment="order of opening among the offender's; 0: never opened"),
    Column("opened_at", UtcDateTime),
    Column("clocks_from", UtcDateTime),
    Index("referrals_case", "case_id"),
    Index("referrals_pair", "pair_id"),
    comment="one row per victim of an incident; a case is those of one victim",
)

tasks = _table(
    "tasks",
    Column("task_id", String, primary_key=True),
    Column("case_id", String, nullable=False),
    Column("referral_id", String, nullable=False),
    Column("pair_id", String, nullable=False),
    Column("victim_no", Integer, nullable=False),
    Column("victim_id", String),
    Column("kind", _code(TaskKind), nullable=False),
    Column("about", String, nullable=False, comment="the referral's opening, the booking or the delivery it is for"),
    Column("owner", _code(TaskOwner), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("state", _code(TaskState), nullable=False),
    Column("claimed_by", String),
    Column("claimed_at", UtcDateTime),
    Column("escalation", Integer, nullable=False, comment="0: not overdue; then how often it was raised"),
    Column("ended_at", UtcDateTime),
    Column("cancel_reason", _code(TaskCancelReason)),
    Index("tasks_id", "task_id"),
    Index("tasks_case", "case_id"),
    Index("tasks_queue", "state", "due_at"),
    comment="what is to be done, for whom, by when; every opened referral has one of its own",
)

attempts = _table(
    "attempts",
    Column("task_id", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("case_id", String, nullable=False),
    Column("kind", _code(TaskKind), nullable=False),
    Column("channel", _code(ContactChannel), nullable=False),
    Column("outcome", _code(AttemptOutcome), nullable=False),
    Column("attempted_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("by", String, nullable=False),
    Index("attempts_case", "case_id"),
    comment="what an advocate tells here stays here",
)

gates = _table(
    "gates",
    Column("pair_id", String, primary_key=True),
    Column("state", _code(GateState), nullable=False),
    Column("version", Integer, nullable=False),
    Column("ended", Boolean, nullable=False, comment="nobody of the pair is referred any more"),
    Index("gates_pair", "pair_id"),
    comment="one row a pair: may notices of it go out",
)

holds = _table(
    "holds",
    Column("hold_id", String, primary_key=True),
    Column("by", String, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    comment="safety holds; no reason is asked",
)

overrides = _table(
    "overrides",
    Column("pair_id", String, primary_key=True),
    Column("by", String, primary_key=True),
    Column("role", _code(Role), nullable=False),
    Column("reason", _code(OverrideReason), nullable=False),
    Column("given_at", UtcDateTime, nullable=False),
    comment="who gave the word to open a gate; it takes two",
)

deliveries = _table(
    "deliveries",
    Column("notification_id", String, primary_key=True),
    Column("pair_id", String, nullable=False),
    Column("state", _code(NotificationState), nullable=False),
    Column("releases", Integer, nullable=False),
    Column("released_at", UtcDateTime),
    Column("visits", Integer, nullable=False),
    Column("visited_at", UtcDateTime),
    comment="notices to him, as far as she must hear of them",
)

victims = _table(
    "victims",
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("victim_no", Integer, nullable=False),
    Column("incident_id", String),
    Column("victim_id", String),
    Column("name", String),
    Column("contact", JSON, nullable=False),
    Column("language", String),
    Column("substitute_address", String),
    Column("lethality_screen", String),
    comment="his victims as police hold them; the only table with names",
)
