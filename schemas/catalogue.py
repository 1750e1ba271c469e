"""Imports every module of models, so that the registry of event types is whole."""

from schemas import (
    advocacy,
    call_in,
    classification,
    commands,
    duty,
    enforcement,
    help,
    incident,
    notice_work,
    notification,
    outreach,
    person,
    referral,
    reviews,
)

MODULES = (
    incident,
    person,
    classification,
    referral,
    notification,
    notice_work,
    duty,
    enforcement,
    help,
    call_in,
    outreach,
    commands,
    advocacy,
    reviews,
)
