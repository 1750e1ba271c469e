"""Imports every module of models, so that the registry of event types is whole."""

from schemas import (
    advocacy,
    classification,
    commands,
    incident,
    notification,
    outreach,
    person,
    referral,
    reviews,
)

MODULES = (incident, person, classification, referral, notification, outreach, commands, advocacy, reviews)
