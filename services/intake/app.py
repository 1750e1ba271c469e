"""Composition root: intake as a service, and what the command line needs of it."""

from __future__ import annotations

from services.common.settings import CommonSettings, settings_or_error
from services.intake.domain import MAPPED, Format
from services.intake.reading import feed_of, fitting, read_units
from services.intake.serving import IntakeService
from services.intake.settings import IntakeSettings, read_feeds
from services.intake.sinks import stream
from services.intake.watch import Silence, take_roster

__all__ = ["MAPPED", "Format", "build", "feed_of", "fitting", "read_units", "silence", "stream", "take_roster"]


def build(settings: CommonSettings) -> IntakeService:
    """The service of these settings, and of intake's own in the environment. Raises `ConfigurationError`."""
    own = settings_or_error(IntakeSettings)
    return IntakeService(own.model_copy(update=settings.model_dump(include=set(CommonSettings.model_fields))))


def silence() -> Silence:
    """Of the feeds that `IPVI_FEEDS_FILE` names. Raises `ConfigurationError`."""
    return Silence(read_feeds(settings_or_error(IntakeSettings).feeds_file))
