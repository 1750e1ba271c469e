"""What the classifier reads from its environment, beside what every service does."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ClassifierSettings(BaseSettings):
    """Environment variables `IPVI_*`."""

    model_config = SettingsConfigDict(env_prefix="IPVI_", extra="ignore")

    seal_key: Annotated[SecretStr | None, Field(min_length=16)] = None
    """Key of the hashes by which expunged and moved incidents are known again and cannot be read. It must never change:
    with another key a late report of an expunged incident would come back in. None: one is made and kept under `home`."""
