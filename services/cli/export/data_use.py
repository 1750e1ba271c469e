"""To whom, what for and until when: the YAML file without which nothing is exported."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.classification import Tier
from schemas.partner_file import Stated
from schemas.yaml_file import YamlError, read_text, read_yaml


class DataUseError(YamlError):
    """This data-use file cannot be used. One line: file, line, field, what to do."""


class DataUse(BaseModel):
    """What the recipient has signed, as far as the export must know it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    recipient: Annotated[str, Field(min_length=1, max_length=200)]
    purpose: Stated
    """The study."""
    need: Stated
    """Why it cannot be done with tables of counts."""
    expires: date
    """The last day (UTC) on which there may be an export for it; by then, what was exported is to be destroyed."""
    tiers: Annotated[list[Tier], Field(min_length=1)] = [Tier.A, Tier.B, Tier.C]
    """The lists that are told of. D, a suspicion, only where it is named here (28 CFR 23.20)."""


def load_data_use(path: Path, today: date) -> DataUse:
    """Raises `DataUseError`, also for one that has run out."""
    source = read_yaml(read_text(path, DataUseError), str(path), DataUse, DataUseError)
    if source.model.expires < today:
        raise DataUseError(
            source.at(["expires"], "expires: this agreement has run out; nothing may be exported for it")
        )
    return source.model
