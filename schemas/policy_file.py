"""Policies as files: found by id or path, read strictly, refused with one line that says where and how to mend it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic_core import ErrorDetails

from schemas.policy import Policy
from schemas.yaml_file import YamlError, YamlSource, find, mended, names, read_text, read_yaml

_HERE = Path(__file__).resolve().parent
_FOLDERS = (_HERE.parent / "policies", _HERE / "policies")
"""In the repository; in an installed wheel."""


class PolicyError(YamlError):
    """This policy cannot be used. One line: file, line, field, what to do."""


class PolicySource(YamlSource[Policy]):
    """A policy and the file it stands in."""

    @property
    def policy(self) -> Policy:
        return self.model


def policy_ids() -> list[str]:
    """The policies at hand by id."""
    return names(_FOLDERS)


def load_policy(named: str) -> Policy:
    """The policy of an id (`policies/<id>.yaml`) or of a file's path. Raises `PolicyError`."""
    return load_source(named).policy


def load_source(named: str) -> PolicySource:
    """The same, with its file. Raises `PolicyError`."""
    path = find(named, _FOLDERS, PolicyError, "policy")
    text = read_text(path, PolicyError)
    source = read_source(text, str(path))
    if named == path.stem and source.policy.id != named:
        raise PolicyError(source.at(["id"], f"id: write {named}, the name of the file"))
    return source


def read_policy(text: str, name: str = "policy") -> Policy:
    """A policy from YAML text. `name` is what errors call it. Raises `PolicyError`."""
    return read_source(text, name).policy


def read_source(text: str, name: str = "policy") -> PolicySource:
    """The same, with its file. Raises `PolicyError`."""
    read = read_yaml(text, name, Policy, PolicyError, _mend, _is_union_arm)
    return PolicySource(read.name, read.model, read.tree)


def _is_union_arm(part: str | int) -> bool:
    """A step that pydantic puts into a place and the file does not have."""
    return part in ("bool", "Bound", "[key]") or str(part).startswith("function-")


def _mend(error: ErrorDetails) -> str:
    if error["type"] == "model_type" and "when" in error["loc"]:
        return "must be true or false, or a limit like {at_least: 2}"
    return mended(error)


def policy_schema() -> Mapping[str, object]:
    """JSON Schema of a policy file, for editors and for partners."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Policy.model_json_schema()}


def main() -> None:
    """Write the schema beside the policies."""
    path = _FOLDERS[0] / "policy.schema.json"
    path.write_text(json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
