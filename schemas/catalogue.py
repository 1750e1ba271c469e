"""Imports every module of models, so that the registry of event types is whole."""

from schemas import (
    advocacy,
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
    outreach,
    commands,
    advocacy,
    reviews,
)
