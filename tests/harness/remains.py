"""What is left of an incident: every column of every table of every service, their logs, and what went out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import select

from services.common.migrations import metadata_of
from tests.harness.pipeline import Pipeline


def remains(pipeline: Pipeline, texts: Iterable[str]) -> list[str]:
    """Where one of `texts` still stands: service, table, column; or the name of a log."""
    wanted = list(texts)
    found = [
        f"{service}.{place}"
        for service in pipeline.services
        for place, value in _cells(pipeline, service)
        if any(text in value for text in wanted)
    ]
    return found + [log.name for log in _logs(pipeline.folder) if any(text in log.read_text() for text in wanted)]


def _cells(pipeline: Pipeline, service: str) -> Iterator[tuple[str, str]]:
    """Place and content of every cell, bytes as latin-1."""
    tables = "partners" if service.startswith("partners_") else service
    for table in metadata_of(tables).sorted_tables:
        for row in pipeline.rows(service, str(select(table))):
            for column, value in zip(table.columns, row, strict=True):
                text = bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
                yield f"{table.name}.{column.name}", text


def _logs(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.log"))
