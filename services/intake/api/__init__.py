"""Intake's API: what agencies' systems send, and what records clerks decide on who is who."""

from __future__ import annotations

from fastapi import APIRouter

from services.intake.api import deliveries, identity
from services.intake.api.deliveries import Desk

__all__ = ["Desk", "router"]


def router(desk: Desk) -> APIRouter:
    """Routes of intake's API, under `/v1`."""
    api = deliveries.router(desk)
    api.routes += identity.router(desk).routes
    return api
