"""Kinds of records that a sender may be allowed: `kinds` of an agency's token, or of a watched folder."""

from __future__ import annotations

from enum import StrEnum


class SentKind(StrEnum):
    """What is sent."""

    INCIDENTS = "incidents"
    """Reports, and what takes them back."""
    EXPUNCTIONS = "expunctions"
    VICTIMS = "victims"
    CUSTODY = "custody"
    ORDERS = "orders"
    DISPOSITIONS = "dispositions"
    """What became of charges, whichever agency's."""
    NOTICES = "notices"
    """Notices served before this system, to whomever."""
    PEOPLE = "people"
    """Who is who, and whole records of offenders: out of folders alone."""
