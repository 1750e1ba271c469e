"""Mapping files: found by name or path, refused with one line that says where and how to mend it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from schemas.mapping import Mapping, mapping_schema
from schemas.yaml_file import find

_HERE = Path(__file__).resolve().parent
FOLDERS = (_HERE.parent / "deploy" / "mappings", _HERE / "mappings")
"""In the repository; in an installed wheel."""

M = TypeVar("M", bound=BaseModel)


class MappingError(ValueError):
    """This file cannot be used. One line: file, field, what to do."""


def load_mapping(named: str | Path) -> Mapping:
    """The mapping of a name (`deploy/mappings/<name>.yaml`) or of a file's path. Raises `MappingError`."""
    return read_yaml(find(named, FOLDERS, MappingError, "mapping"), Mapping)


def read_yaml(path: Path, model: type[M]) -> M:
    """A YAML file as `model`. Raises `MappingError`."""
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: cannot be read as UTF-8 text ({type(error).__name__})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise MappingError(f"{path}{f', line {mark.line + 1}' if mark else ''}: not YAML; look at this line") from None
    try:
        return model.model_validate(content)
    except ValidationError as failed:
        first = min(failed.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden")
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise MappingError(f"{path}: {where}: {first['msg']}") from None


if __name__ == "__main__":
    text = json.dumps(mapping_schema(), indent=2, ensure_ascii=False) + "\n"
    (FOLDERS[0] / "mapping.schema.json").write_text(text, "utf-8")
