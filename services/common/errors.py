"""Errors of the loop. Permanent and transient are branches of one tree; the docstring is the default message."""

from __future__ import annotations


class IpviError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class ConfigurationError(IpviError):
    """The environment or the arguments are wrong; nothing was started."""


class LaneRefusedError(IpviError):
    """This lane must not be worked until a person has looked: going on could lose or double an event.

    `code` is one of a closed list and has a row in `docs/runbook.md`.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(f"{code}: {message}")


class LaneLostError(IpviError):
    """The outcome of a step is unknown or another owner has the lane: drop what is in memory and claim again."""


class DecideFailedError(IpviError):
    """Deciding a record raised an error that is no `InvalidRecord`."""


def error_names(error: BaseException) -> str:
    """For the log: names of error types only, since their texts may hold what a record held."""
    if isinstance(error, BaseExceptionGroup):
        return "+".join(sorted({error_names(inner) for inner in error.exceptions}))
    if isinstance(error, LaneLostError):
        return f"LaneLostError: {error}"
    return type(error).__name__
