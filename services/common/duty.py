"""Who is on duty, from the county's roster file, and how that person is told: that there is a task, and nothing else.

The file is a YAML list of shifts: `person`, `roles`, `channel` (`text` or `email`), `address`, and unless it is
always `days`, `start`, `end`. Times are of the county's clock; a shift that ends before it starts runs past midnight.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args

import structlog
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from schemas.commands import Role
from schemas.duty import DutyRole
from services.common.errors import ConfigurationError
from services.common.messaging import DUTY_ALERT, Mail, Mailer, Messenger, NotSentError, ShortText

log = structlog.get_logger(__name__)

_Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[_Day, ...] = get_args(_Day)
_Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


R = TypeVar("R", DutyRole, Role)
"""Roles of a ladder: who is called first, who next. A policy names the ladders, the roster who fills a role."""


def rung(ladder: Sequence[R], number: int) -> R:
    """Whom the n-th call goes to (from 1): each time the next, and at the top always the last."""
    return ladder[min(number, len(ladder)) - 1]


def upwards(ladders: Iterable[Sequence[R]], role: R) -> Sequence[R]:
    """The role, and who is told in its place where nobody is on duty in it: all above it in the first ladder it stands in."""
    return next((ladder[ladder.index(role) :] for ladder in ladders if role in ladder), [role])


class RosterError(ConfigurationError):
    """The roster cannot be used. The text says where, and nothing that stands in the file."""


class Shift(BaseModel):
    """One person's time on duty."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    person: Annotated[str, Field(min_length=1, max_length=120)]
    roles: Annotated[frozenset[DutyRole | Role], Field(min_length=1)]
    channel: Literal["text", "email"]
    address: Annotated[str, Field(min_length=3, max_length=200, repr=False)]
    days: Annotated[frozenset[_Day], Field(min_length=1)] = frozenset(_DAYS)
    start: _Clock = "00:00"
    end: _Clock = "00:00"

    def covers(self, local: datetime) -> bool:
        """`local`: the moment by the county's clock. Start and end alike: the whole day."""
        clock = f"{local:%H:%M}"
        today, yesterday = _DAYS[local.weekday()], _DAYS[(local - timedelta(days=1)).weekday()]
        if self.start == self.end:
            return today in self.days
        if self.start < self.end:
            return today in self.days and self.start <= clock < self.end
        return (today in self.days and clock >= self.start) or (yesterday in self.days and clock < self.end)


_SHIFTS = TypeAdapter(list[Shift])


@dataclass(frozen=True, slots=True)
class Roster:
    """Shifts, in the order of the file: the first is told first."""

    shifts: Sequence[Shift] = ()

    def on_duty(self, role: str, local: datetime) -> list[Shift]:
        """`local`: the moment by the county's clock."""
        return [shift for shift in self.shifts if role in shift.roles and shift.covers(local)]


def read_roster(path: Path | None) -> Roster:
    """The shifts of a file; none without one. Raises `RosterError` with one clear line."""
    if path is None:
        return Roster()
    try:
        return Roster(_SHIFTS.validate_python(yaml.safe_load(path.read_text("utf-8")) or []))
    except OSError as failed:
        raise RosterError(f"roster {path}: {failed.strerror or 'cannot be read'}") from None
    except ValidationError as failed:
        loc = failed.errors(include_input=False, include_url=False)[0]["loc"]
        place = f"shift {int(loc[0]) + 1}" if loc and isinstance(loc[0], int) else "the list"
        name = next((f", field {part}" for part in loc[1:2] if part in Shift.model_fields), "")
        raise RosterError(f"roster {path}: {place}{name} is not right") from None
    except (ValueError, yaml.YAMLError):
        raise RosterError(f"roster {path}: not a YAML list, in UTF-8") from None


@dataclass(slots=True)
class RosterFile:
    """A roster that changes from week to week: read again when its file has changed; an unusable one changes nothing."""

    path: Path | None
    _seen: int = 0
    _roster: Roster | None = None

    def now(self) -> Roster:
        """Raises `RosterError` only where there was no usable roster before."""
        try:
            changed = self.path.stat().st_mtime_ns if self.path else 0
        except OSError:
            changed = self._seen
        if self._roster is None or changed != self._seen:
            try:
                self._roster = read_roster(self.path)
            except RosterError:
                if self._roster is None:
                    raise
                log.error("duty.roster_unusable")
            self._seen = changed
        return self._roster


SUBJECT = "Office"
"""Of every call by mail: it says nothing of what this office does."""


@dataclass(slots=True)
class Pager:
    """Tells people on duty. What it says is the same for every task."""

    roster: RosterFile
    mailer: Mailer
    messenger: Messenger

    async def page(self, page_id: str, roles: Sequence[str], at: datetime) -> bool:
        """The first of `roles` in which somebody on duty could be told; all of them. False: nobody was.

        `at`: the moment by the county's clock.
        """
        roster = self.roster.now()
        for role in roles:
            if await self._tell_all(page_id, roster.on_duty(role, at), at):
                return True
        return False

    async def call(self, page_id: str, roles: Collection[str], persons: Collection[str], at: datetime) -> bool:
        """Everybody on duty in any of `roles`, and whoever of `persons` is on duty in whichever. Whether somebody was told."""
        shifts = {
            (shift.channel, shift.address): shift
            for shift in self.roster.now().shifts
            if shift.covers(at) and (shift.roles & set(roles) or shift.person in persons)
        }
        return await self._tell_all(page_id, shifts.values(), at)

    async def _tell_all(self, page_id: str, shifts: Iterable[Shift], at: datetime) -> bool:
        told = [await self._tell(f"{page_id}-{n}", shift, at) for n, shift in enumerate(shifts)]
        return any(told)

    async def _tell(self, message_id: str, shift: Shift, at: datetime) -> bool:
        try:
            if shift.channel == "email":
                await self.mailer.send(Mail(message_id, shift.address, SUBJECT, DUTY_ALERT, at))
            else:
                await self.messenger.send(ShortText(message_id, shift.address, DUTY_ALERT, at))
        except NotSentError as failed:
            log.warning("duty.not_told", code=str(failed.code))
            return False
        return True
