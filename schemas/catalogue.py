"""Imports every module of models, so that the registry of event types is whole."""

from schemas import classification, commands, duty, incident, notice_work, notification, outreach, person, referral

MODULES = (incident, person, classification, referral, notification, notice_work, duty, outreach, commands)
