"""The contract of each release, as it was published: what every later one is held against.

`schemas/released/<version>.json`: per type its JSON Schema and its examples' data. A type that was released may not go, new
readers must read what old writers wrote, and old readers what new writers write. A new code breaks old readers; where every
reader was deployed before any writer (`--readers-first`), it stands in `readers_first.txt`, a line each, and is accepted.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.envelope import Data, event_types
from schemas.generate import EXAMPLES, PROJECT
from schemas.generate.evolution import breaks
from schemas.generate.json_schema import Schema, data_schema, envelope_schema
from schemas.partner import partner_types

RELEASED = PROJECT / "schemas" / "released"
READERS_FIRST = RELEASED / "readers_first.txt"
ENVELOPE = "envelope"
_PROSE = frozenset({"description", "title"})


@dataclass(frozen=True, slots=True)
class Released:
    """One release. `examples`: of each type, the `data` of each."""

    version: str
    schemas: Mapping[str, Schema]
    examples: Mapping[str, list[Any]]


def models() -> dict[str, type[Data]]:
    """Every type there is now."""
    return {**event_types(), **partner_types()}


def now() -> dict[str, Schema]:
    """The schemas as they are."""
    return {ENVELOPE: envelope_schema(), **{name: data_schema(model) for name, model in models().items()}}


def last_release() -> Released:
    """The newest. Raises `FileNotFoundError` where there is none."""
    found = sorted(RELEASED.glob("*.json"), key=lambda path: [int(part) for part in path.stem.split(".")])
    if not found:
        raise FileNotFoundError(f"{RELEASED}: no release there; python -m schemas.generate --release")
    read = json.loads(found[-1].read_text("utf-8"))
    return Released(found[-1].stem, read["schemas"], read["examples"])


def incompatible(old: Released) -> Iterator[str]:
    """What has been broken since, a line each, but for what was accepted."""
    new, accepted = now(), set(readers_first())
    for name, schema in old.schemas.items():
        if name not in new:
            yield f"{name}: the type is gone"
            continue
        yield from (f"{name}: new readers, old records: {each}" for each in breaks(new[name], schema))
        yield from (line for line in _old_readers(name, schema, new[name]) if line not in accepted)


def readers_first() -> list[str]:
    """What old readers cannot read and was accepted all the same."""
    if not READERS_FIRST.is_file():
        return []
    return [line for line in READERS_FIRST.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def stale_acceptances(old: Released) -> list[str]:
    """Accepted, and not so any more: to be taken out."""
    new = now()
    true = {
        line for name, schema in old.schemas.items() if name in new for line in _old_readers(name, schema, new[name])
    }
    return sorted(set(readers_first()) - true)


def _old_readers(name: str, old: Schema, new: Schema) -> list[str]:
    return [f"{name}: old readers, new records: {each}" for each in breaks(old, new)]


def release() -> tuple[Path, str]:
    """File and text of the release that `pyproject.toml` names, of the contract as it is."""
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    examples: dict[str, list[Any]] = {}
    for path in sorted(EXAMPLES.rglob("*.json")):
        whole = json.loads(path.read_text("utf-8"))
        examples.setdefault(whole["type"], []).append(whole["data"])
    parts = {"schemas": {name: _bare(schema) for name, schema in sorted(now().items())}, "examples": examples}
    lines = [
        f'"{part}": {{\n' + ",\n".join(f"{json.dumps(name)}: {_compact(each)}" for name, each in of.items()) + "\n}"
        for part, of in parts.items()
    ]
    return RELEASED / f"{version}.json", "{\n" + ",\n".join(lines) + "\n}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _bare(schema: Any, *, names: bool = False) -> Any:
    """Without prose. `names`: the keys are fields' or definitions' own names, not keywords."""
    if isinstance(schema, list):
        return [_bare(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _bare(each, names=not names and key in ("properties", "$defs"))
        for key, each in schema.items()
        if names or key not in _PROSE
    }
