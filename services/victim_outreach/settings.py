"""What victim outreach reads from its environment beside the common settings and those of its mail."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class OutreachSettings(BaseSettings):
    """Environment variables `IPVI_*`."""

    model_config = SettingsConfigDict(env_prefix="IPVI_", extra="ignore")

    duty_roster: Path | None = None
    """Who is on duty, a YAML list of shifts (`docs/duty.md`). None: nobody can be paged, and the log says so."""
