"""What outreach keeps around one offender. Pure types; every moment is a record's time, in UTC."""

from services.victim_outreach.domain.advocacy import (
    Case,
    ChannelEntry,
    Consent,
    HoursEntry,
    Link,
    Message,
    Profile,
    Screen,
)
from services.victim_outreach.domain.case_file import CaseFile
from services.victim_outreach.domain.identity import case_id, case_of_victim, linked
from services.victim_outreach.domain.records import (
    Attempt,
    Custody,
    Delivery,
    Gate,
    Hold,
    Override,
    Referral,
    Release,
    Task,
    TaskKey,
    Victim,
    graver,
)

__all__ = [
    "Attempt",
    "Case",
    "CaseFile",
    "ChannelEntry",
    "Consent",
    "Custody",
    "Delivery",
    "Gate",
    "Hold",
    "HoursEntry",
    "Link",
    "Message",
    "Override",
    "Profile",
    "Referral",
    "Release",
    "Screen",
    "Task",
    "TaskKey",
    "Victim",
    "case_id",
    "case_of_victim",
    "graver",
    "linked",
]
