"""What the classifier reads from its environment, beside what every service does."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ClassifierSettings(BaseSettings):
    """Environment variables `IPVI_*`."""

    model_config = SettingsConfigDict(env_prefix="IPVI_", extra="ignore")

    backup_days: Annotated[int, Field(ge=0, le=3650)] = 35
    """How long backups of the databases are kept: the proof of an expunction says when the last copy is gone."""
    seal_key: Annotated[SecretStr | None, Field(min_length=16)] = None
    """Key of the hashes by which expunged and moved incidents are known again and cannot be read. It must never change:
    with another key a late report of an expunged incident would come back in. None: one is made and kept under `home`."""
    lookups_per_minute: Annotated[int, Field(ge=1)] = 60
    """Persons one credential may look up in a minute."""
    lookups_per_day: Annotated[int, Field(ge=1)] = 2_000
    """And in a day."""
