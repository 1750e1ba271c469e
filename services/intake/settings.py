"""What intake reads from its environment, and the file of its watched folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from schemas.incident import Ori
from schemas.kinds import SentKind
from schemas.mapping_file import MappingError, load_mapping, read_yaml
from services.common.errors import ConfigurationError
from services.common.seal import kept_key, sealer
from services.common.settings import CommonSettings
from services.intake.domain import Format, RejectLimit, Terms


class IntakeSettings(CommonSettings):
    """`IPVI_REJECT_LIMIT`, `IPVI_REJECT_AFTER`, `IPVI_EXPUNCTIONS_A_DAY`, `IPVI_DONE_DAYS`, `IPVI_FEEDS_FILE`,
    `IPVI_LINKAGE_EVERY_S` beside what every service reads.
    """

    reject_limit: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of refused units above which a source is paused; 1 never pauses."""
    reject_after: Annotated[int, Field(ge=1)] = 100
    """Units to read before that is judged."""
    expunctions_a_day: Annotated[int, Field(ge=0)] = 20
    """Expunctions that an agency's feed may have in a day without a person's word."""
    done_days: Annotated[int, Field(ge=1)] = 14
    """Days after which a file that was taken from a watched folder is removed: as long as Kafka keeps what was in it."""
    feeds_file: Path | None = None
    """Folders to watch (docs/intake.md). None: none."""

    linkage_every_s: Annotated[float, Field(gt=0)] = 60.0
    """Seconds from one scoring of new records to the next; numbers are compared each second."""

    seal_key: Annotated[SecretStr | None, Field(min_length=16)] = None
    """Key of the hashes by which expunged incidents are known again: the classifier's. None: the one kept under `home`."""

    def terms(self) -> Terms:
        """Raises `ConfigurationError` where no key can be kept."""
        key = self.seal_key.get_secret_value().encode() if self.seal_key else kept_key(self.home)
        return Terms(sealer(key), self.limit, self.expunctions_a_day)

    @property
    def limit(self) -> RejectLimit:
        return RejectLimit(self.reject_limit, self.reject_after)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise ValueError("no such time zone; give a name such as America/New_York") from None
    return name


class WatchedFolder(BaseModel):
    """One folder into which one feed's files are moved."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    folder: Path
    """Relative to the feeds file. `done/` and `failed/` are made in it."""
    format: Format
    mapping: str | None = None
    """Of tables: a name in deploy/mappings, or a file, relative to the feeds file."""
    agency: Ori | None = None
    """Where given, every record must be this agency's own."""
    kinds: Annotated[frozenset[SentKind], Field(min_length=1)] | None = None
    """Where given, nothing else is taken from here; not of a roster, which tells custody and its charges."""
    time_zone: Annotated[str, AfterValidator(_zone)] | None = None
    """Of times without one; else the policy's zones hold."""
    expect_every_minutes: Annotated[int, Field(ge=1)] = 24 * 60
    """Silence of this feed for longer is an alarm: no events is not no violence."""

    @model_validator(mode="after")
    def _no_kinds_of_a_roster(self) -> WatchedFolder:
        if self.kinds is not None and self.format is Format.ROSTER:
            raise ValueError("a roster has no kinds")
        return self


class FeedsFile(BaseModel):
    """`IPVI_FEEDS_FILE`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feeds: Annotated[list[WatchedFolder], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_feed_a_folder(self) -> FeedsFile:
        if len({each.folder for each in self.feeds}) < len(self.feeds):
            raise ValueError("two feeds share a folder")
        return self


def read_feeds(path: Path | None) -> list[WatchedFolder]:
    """With paths made whole, and mappings known to be right. Raises `ConfigurationError`."""
    if path is None:
        return []
    try:
        found = read_yaml(path, FeedsFile)
        whole = []
        for each in found.feeds:
            changes: dict[str, Any] = {"folder": path.parent / each.folder}
            if each.mapping is not None:
                if each.mapping.endswith((".yaml", ".yml")):
                    changes["mapping"] = str(path.parent / each.mapping)
                load_mapping(changes.get("mapping", each.mapping))
            whole.append(each.model_copy(update=changes))
    except MappingError as wrong:
        raise ConfigurationError(f"feeds file: {wrong}") from None
    return whole
