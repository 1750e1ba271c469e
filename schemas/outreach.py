"""Outreach to victims: tasks (advocates' systems only) and the gate (all that ever leaves towards the notifier)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.envelope import Data, Timestamp, event_type
from schemas.incident import Identifier


class TaskKind(StrEnum):
    """What is to be done for her."""

    WRITTEN_INFORMATION = "written_information"
    CALL = "call"
    IN_PERSON_CONTACT = "in_person_contact"
    SAFETY_PLANNING = "safety_planning"
    ADVOCACY = "advocacy"
    CASE_MANAGEMENT = "case_management"
    BEFORE_DELIVERY = "before_delivery"
    AFTER_DELIVERY = "after_delivery"
    CUSTODY_RELEASE = "custody_release"
    IDENTIFY_VICTIM = "identify_victim"
    ASK_RELATIONSHIP = "ask_relationship"
    FAMILY_LIAISON = "family_liaison"
    HIGH_DANGER_CALL = "high_danger_call"
    """A screen says that she may be killed: she is called at once."""
    GATE_REVIEW = "gate_review"
    """A notice waits, and nothing left to be done could end that: the outreach supervisor decides."""
    EARLIER_PARTNER = "earlier_partner"
    """She was his partner before: she is told that he has come to notice again, and no more."""


class TaskState(StrEnum):
    """Overdue is a mark on an open or claimed task, not a state."""

    OPEN = "open"
    CLAIMED = "claimed"
    ATTEMPTED = "attempted"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class TaskOwner(StrEnum):
    """Who holds a task, and with it who may see it."""

    AGENCY = "agency"
    SYSTEM_ADVOCATE = "system_advocate"
    COMMUNITY_ADVOCATE = "community_advocate"


class ContactChannel(StrEnum):
    """How she was tried to be reached."""

    CALL = "call"
    VOICEMAIL = "voicemail"
    TEXT = "text"
    EMAIL = "email"
    MAIL = "mail"
    IN_PERSON = "in_person"
    HOSPITAL = "hospital"
    COURT = "court"


class AttemptOutcome(StrEnum):
    """What came of an attempt."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    UNSAFE = "unsafe"
    DECLINED = "declined"
    WRONG_CONTACT = "wrong_contact"
    OTHER_PERSON = "other_person"
    """Somebody else answered, or was there."""


class TaskCancelReason(StrEnum):
    """Why a task ended undone."""

    REFERRAL_WITHDRAWN = "referral_withdrawn"
    SUPERSEDED = "superseded"
    BY_PERSON = "by_person"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    """Policy's number of attempts; another would press her, or give her away."""
    HER_WORD = "her_word"
    """She does not want it."""
    NO_CONTACT = "no_contact"
    """She is not to be contacted; she will call."""
    CASE_CLOSED = "case_closed"


class CaseReopenReason(StrEnum):
    """Why a person opened a closed case again."""

    SHE_CAME_BACK = "she_came_back"
    """By whatever way, of her own."""
    OTHERS_TOLD = "others_told"
    """Somebody else says that she needs it."""
    BY_MISTAKE = "by_mistake"
    """It should not have been closed."""


class CaseCloseReason(StrEnum):
    """Why a person closed a case."""

    SERVED = "served"
    HER_WORD = "her_word"
    UNREACHABLE = "unreachable"
    MOVED_AWAY = "moved_away"
    SERVED_ELSEWHERE = "served_elsewhere"
    DECEASED = "deceased"


class Task(Data):
    """Common fields of every change of a task."""

    task_id: str
    referral_id: str
    pair_id: str
    offender_id: Identifier
    victim_no: Annotated[int, Field(ge=1)]
    victim_id: Identifier | None
    kind: TaskKind
    owner: TaskOwner
    due_at: Timestamp
    by: str = "system"
    """The person's user name, or `system`."""


@event_type("ipvi.task.opened.v1")
class TaskOpened(Task):
    """To be done by `due_at`."""


@event_type("ipvi.task.claimed.v1")
class TaskClaimed(Task):
    """A person took it."""

    instead_of: str | None = None
    """The person who had it until then."""


@event_type("ipvi.task.given_back.v1")
class TaskGivenBack(Task):
    """Whoever had it does not do it after all: it is open again."""

    had_by: str


@event_type("ipvi.task.attempted.v1")
class TaskAttempted(Task):
    """She was tried to be reached."""

    channel: ContactChannel
    outcome: AttemptOutcome
    attempted_at: Timestamp


class AnnulReason(StrEnum):
    """Why what was recorded of a try holds no more."""

    WRONG_TASK = "wrong_task"
    """It was another woman, or another task."""
    NOT_MADE = "not_made"
    """Nobody tried."""
    WRONG_ENTRY = "wrong_entry"
    """Way, outcome or time are wrong: it is recorded anew."""


@event_type("ipvi.task.attempt_annulled.v1")
class TaskAttemptAnnulled(Task):
    """What was told of one attempt at it holds no more."""

    channel: ContactChannel
    outcome: AttemptOutcome
    attempted_at: Timestamp
    reason: AnnulReason


@event_type("ipvi.task.completed.v1")
class TaskCompleted(Task):
    """Done."""


@event_type("ipvi.task.overdue.v1")
class TaskOverdue(Task):
    """`due_at` passed and it was not done; a mark that escalates."""

    escalation: Annotated[int, Field(ge=1)]
    duty: str | None = None
    """The duty role it was raised to."""


@event_type("ipvi.task.cancelled.v1")
class TaskCancelled(Task):
    """Ended undone."""

    reason: TaskCancelReason


class GateState(StrEnum):
    """Fail-closed: what is not `clear` is `shut`."""

    SHUT = "shut"
    CLEAR = "clear"


@event_type("ipvi.gate.changed.v1")
class GateChanged(Data):
    """Whether notices of this pair may go out. Says nothing of who was reached, how or how many victims there are."""

    pair_id: str
    offender_id: Identifier
    gate: GateState
    version: Annotated[int, Field(ge=1)]
    """Rises with each record of this pair; a lower one is ignored."""
    answers: Annotated[int, Field(ge=0)] = 0
    """The last asking of which all that was said of the pair's victims is worked (`OffenderDecided.askings`). A `clear` that
    answers an earlier one is none."""


@event_type("ipvi.gate.heartbeat.v1")
class GateHeartbeat(Data):
    """The gate of this lane is kept; older than 3 minutes, every gate of the lane counts as shut."""

    lane: Annotated[int, Field(ge=0)]
