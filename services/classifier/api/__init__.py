"""The classifier's API: what coordinators work on, and what patrol and dispatch look up."""

from __future__ import annotations

from fastapi import APIRouter

from services.classifier.api import lookups, work
from services.classifier.api.reviews import Reader
from services.classifier.settings import ClassifierSettings
from services.common.desk import Desk

__all__ = ["Reader", "router"]


def router(desk: Desk, read: Reader) -> APIRouter:
    """Routes of the classifier's API. `read` opens a connection to its database."""
    settings = ClassifierSettings()
    limits = lookups.Limits(settings.lookups_per_minute, settings.lookups_per_day)
    api = work.router(desk, read)
    api.routes += lookups.router(read, limits).routes  # of other roles, so not under the other router's dependencies
    return api
