"""Victim outreach's tables: all it keeps around each offender. A column is named as the field of `domain` it holds."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Enum, Index, Integer, MetaData, String, Table, false

from schemas.advocacy import ConsentRecipient, ConsentScope, MessageOutcome, MessageText, ScreenResult
from schemas.classification import Tier
from schemas.commands import OverrideReason, Role
from schemas.notification import NotificationState
from schemas.outreach import (
    AnnulReason,
    AttemptOutcome,
    CaseCloseReason,
    ContactChannel,
    GateState,
    TaskCancelReason,
    TaskKind,
    TaskOwner,
    TaskState,
)
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
    Column("release_facility", String),
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
    Column("opened_at", UtcDateTime),  # of one withdrawn: taken over from another record, and not yet told here
    Column("moved_to", String, comment="the offender whose it is now"),
    Column("moved_as", String, comment="its id over there"),
    Column("clocks_from", UtcDateTime),
    Column("policy", String(64), comment="digest of the one in force when its clocks began"),
    Column("told_of", UtcDateTime, comment="the round of which she was told under another record of his"),
    Column("bulk", Boolean, nullable=False, server_default=false(), comment="part of a history load"),
    Column(
        "to_be_called", Boolean, nullable=False, server_default=false(), comment="a call was open under another record"
    ),
    Index("referrals_case", "case_id"),
    Index("referrals_victim", "victim_id"),
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
    Column("duty", _code(Role), comment="the duty role last told of it"),
    Column("alerts", Integer, nullable=False, server_default="0", comment="how often"),
    Column("alerted_at", UtcDateTime),
    Column("given_back_at", UtcDateTime, comment="when the last who had it gave it back"),
    Index("tasks_id", "task_id"),
    Index("tasks_case", "case_id"),
    Index("tasks_queue", "state", "due_at"),
    comment="what is to be done, for whom, by when; every opened referral has one of its own",
)


def _of_a_try() -> tuple[Column[Any], ...]:
    return (
        Column("task_id", String, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("case_id", String, nullable=False),
        Column("kind", _code(TaskKind), nullable=False),
        Column("channel", _code(ContactChannel), nullable=False),
        Column("outcome", _code(AttemptOutcome), nullable=False),
        Column("attempted_at", UtcDateTime, nullable=False),
        Column("recorded_at", UtcDateTime, nullable=False),
        Column("by", String, nullable=False),
    )


attempts = _table(
    "attempts", *_of_a_try(), Index("attempts_case", "case_id"), comment="what an advocate tells here stays here"
)

annulled_attempts = _table(
    "annulled_attempts",
    *_of_a_try(),
    Column("annulled_at", UtcDateTime, nullable=False),
    Column("annulled_by", String, nullable=False),
    Column("reason", _code(AnnulReason), nullable=False),
    comment="tries that were recorded by mistake: nothing rests on them",
)

told_attempts = _table(
    "told_attempts",
    *_of_a_try(),
    Column("from_case_id", String, nullable=False),
    Column("victim_id", String, nullable=False),
    Index("told_attempts_victim", "victim_id"),
    comment="tries on account of other offenders that found somebody else: a copy, and gone when that is",
)

gates = _table(
    "gates",
    Column("pair_id", String, primary_key=True),
    Column("state", _code(GateState), nullable=False),
    Column("version", Integer, nullable=False),
    Column("ended", Boolean, nullable=False, comment="nobody of the pair is referred any more"),
    Column("answers", Integer, nullable=False, server_default="0", comment="the last asking that is worked here"),
    Index("gates_pair", "pair_id"),
    comment="one row a pair: may notices of it go out",
)

holds = _table(
    "holds",
    Column("hold_id", String, primary_key=True),
    Column("by", String, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("alerts", Integer, nullable=False, server_default="0", comment="how often its end was called out"),
    Column("alerted_at", UtcDateTime, comment="when last; null: its end is not near"),
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
    Column("planned_from", UtcDateTime, comment="when he is to be told, if that is known"),
    Column("planned_at", UtcDateTime),
    Column("plans", Integer, nullable=False, server_default="0", comment="how often it was set or moved"),
    Column("planned_until", UtcDateTime),
    Column("came_of", JSON, nullable=False, server_default="[]", comment="number, outcome and time of each visit"),
    comment="notices to him, as far as she must hear of them",
)

victims = _table(
    "victims",
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("victim_no", Integer, nullable=False),
    Column("incident_id", String),
    Column("victim_id", String),
    Column("name", String),
    Column("birth_date", Date),
    Column("contact", JSON, nullable=False),
    Column("language", String),
    Column("substitute_address", String),
    Column("lethality_screen", String),
    Column("screened_at", UtcDateTime, comment="when this screen was first told here"),
    Column("asked_at", UtcDateTime, comment="when she was asked, as the agency says or first told it"),
    Index("victims_victim", "victim_id"),
    comment="his victims as police hold them; the only table with names",
)

cases = _table(
    "cases",
    Column("case_id", String, primary_key=True),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("closed_by", String),
    Column("close_reason", _code(CaseCloseReason)),
    Column("openings", Integer, nullable=False),
    Index("cases_id", "case_id"),
    comment="one victim of one offender, over all incidents",
)


def _as_she_said() -> tuple[Column[Any], ...]:
    return (
        Column("version", Integer, nullable=False),
        Column("channels", JSON, nullable=False, comment="channel, what she said of it, address"),
        Column("hours", JSON, nullable=False, comment="days, start, end; county's time"),
        Column("no_contact", Boolean, nullable=False, comment="she will call"),
        Column("instructions", String),
        Column("language", String),
        Column("valid_until", UtcDateTime, nullable=False),
        Column("recorded_at", UtcDateTime, nullable=False),
        Column("by", String, nullable=False),
    )


profiles = _table(
    "profiles",
    Column("case_id", String, primary_key=True),
    Column("owner", _code(TaskOwner), primary_key=True, comment="whose people asked her"),
    *_as_she_said(),
    Index("profiles_case", "case_id"),
    comment="how she may be reached, as she said; leaves this service in no form",
)

told_profiles = _table(
    "told_profiles",
    Column("from_case_id", String, primary_key=True, comment="her case with another offender, where it is kept"),
    Column("victim_id", String, primary_key=True),
    Column("owner", _code(TaskOwner), primary_key=True),
    Column("case_id", String, nullable=False),
    *_as_she_said(),
    Index("told_profiles_victim", "victim_id"),
    comment="what she said on account of other offenders: a copy, and gone when that is",
)

screens = _table(
    "screens",
    Column("case_id", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("owner", _code(TaskOwner), nullable=False),
    Column("answers", JSON, nullable=False),
    Column("believed", Boolean, nullable=False),
    Column("result", _code(ScreenResult), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("by", String, nullable=False),
    comment="lethality screens done by advocates",
)

consents = _table(
    "consents",
    Column("consent_id", String, primary_key=True),
    Column("case_id", String, nullable=False),
    Column("owner", _code(TaskOwner), nullable=False),
    Column("scope", _code(ConsentScope), nullable=False, comment="what may be told"),
    Column("recipient", _code(ConsentRecipient), nullable=False, comment="to whom"),
    Column("named", String, nullable=False, comment="by name, as on the paper"),
    Column("given_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("by", String, nullable=False),
    Column("revoked_at", UtcDateTime),
    Index("consents_case", "case_id"),
    comment="what she allowed in writing, for a time",
)

links = _table(
    "links",
    Column("victim_id", String, primary_key=True),
    Column("other_victim_id", String, primary_key=True),
    Column("linked_at", UtcDateTime, nullable=False),
    Column("by", String, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String),
    Index("links_victim", "victim_id"),
    Index("links_other", "other_victim_id"),
    comment="two ids, one woman: a person's word",
)

messages = _table(
    "messages",
    Column("message_id", String, primary_key=True),
    Column("task_id", String, nullable=False),
    Column("case_id", String, nullable=False),
    Column("channel", _code(ContactChannel), nullable=False),
    Column("text", _code(MessageText), nullable=False),
    Column("language", String, nullable=False),
    Column("by", String, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("outcome", _code(MessageOutcome), comment="null: on its way, or waiting to be"),
    Column("code", String, comment="why it did not leave"),
    Column("ended_at", UtcDateTime),
    Index("messages_waiting", "outcome", "asked_at"),
    comment="each asked for by an advocate; none is sent twice by itself",
)

sends = Table(
    "sends",
    metadata,
    Column("send_id", String, primary_key=True, comment="a message, or one page for a task"),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, comment="null: not known whether it left"),
    Column("outcome", _code(MessageOutcome)),
    Column("code", String),
    comment="written before anything leaves, so that nothing leaves twice; the sender's own, not the loop's",
)

news = Table(
    "news",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("victim_id", String, nullable=False),
    comment="women of whom something changed in one lane; the lane adds rows, the teller takes them away",
    sqlite_autoincrement=True,  # a number that was given is never given again: ids of commands are made of it
)

published_measures = Table(
    "published_measures",
    metadata,
    Column("quarter", String(7), primary_key=True),
    Column("published_at", UtcDateTime, nullable=False),
    Column("tables", JSON, nullable=False, comment="counts of women, none under 11, as they were published"),
    comment="each quarter once: two counts of one quarter would tell who was added; the publisher's own, not the loop's",
)
