"""Logs: one JSON line an event, from structlog and foreign loggers alike. Ids of lanes, codes and counts; never a person."""

from __future__ import annotations

import logging
import sys

import structlog

FOREIGN = ("aiokafka", "asyncio", "sqlalchemy", "faststream", "uvicorn", "alembic")
"""Libraries whose texts can quote keys and values: only their worst is let through, and that without arguments."""


def configure(service: str, level: str = "INFO") -> None:
    """Once, at the start of a process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_no_arguments, *shared],
            # No traceback: its frames and messages can hold what a record held. The error's type is in the event.
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _no_traceback,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.raiseExceptions = False  # its complaint about a line that cannot be written quotes the arguments
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    quieten()
    structlog.contextvars.bind_contextvars(service=service)


def quieten() -> None:
    """Nothing of what libraries have to say: their texts can quote a record, and what is wrong is told in words of ours."""
    for noisy in FOREIGN:
        logging.getLogger(noisy).setLevel(logging.CRITICAL)


def _no_arguments(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event["event"] = str(event["_record"].msg)
    return event


def _no_traceback(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if info:
        kind = info[0] if isinstance(info, tuple) else type(info)
        event["error"] = getattr(kind, "__name__", str(kind))
    return event
