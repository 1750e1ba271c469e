"""What this service reads from its environment beside the common settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class PartnersSettings(BaseSettings):
    """Environment variables `IPVI_*`."""

    model_config = SettingsConfigDict(env_prefix="IPVI_", extra="ignore", env_ignore_empty=True)

    partners: Path | None = None
    """Folder of the partner files, one YAML file each (`docs/partners.md`). None: there are no partners."""
    partners_key: Annotated[SecretStr | None, Field(min_length=16)] = None
    """Key of every partner's pseudonyms. It must never change: nobody would be known again, and nothing sent before could
    be taken back. None: one is made and kept under `home` as `partners.key`."""
    partners_secrets: Path | None = None
    """Folder of webhook secrets, `<id>.secrets` each. None: no webhook can be signed, and none is sent."""
    partners_batches: Path | None = None
    """Folder of CSV batches, a folder of each partner in it. None: `batches` under `home`."""
    partners_ca_file: Path | None = None
    """PEM certificates of the county's own authorities: webhooks' servers are verified against them beside the public ones."""
    partners_hour_s: Annotated[int, Field(ge=1, le=3600)] = 3600
    """For drills: how many seconds an hour lasts to deliveries. Less than 3600 shortens the waits between tries, the periods of
    CSV batches and, down to a second, the time that a server has to answer. Record time and expiry stay what they are."""

    @property
    def pace(self) -> float:
        """By what waits are multiplied."""
        return self.partners_hour_s / 3600
