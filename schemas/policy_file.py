"""Policies as files: found by id or path, read strictly, refused with one line that says where and how to mend it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.policy import Policy

_HERE = Path(__file__).resolve().parent
_FOLDERS = (_HERE.parent / "policies", _HERE / "policies")
"""In the repository; in an installed wheel."""


class PolicyError(ValueError):
    """This policy cannot be used. One line: file, line, field, what to do."""

    def __init__(self, first: str, *others: str) -> None:
        super().__init__(first)
        self.others = others
        """What else is wrong with it, one line each."""


@dataclass(frozen=True, slots=True)
class PolicySource:
    """A policy and the file it stands in."""

    name: str
    policy: Policy
    tree: yaml.Node | None = field(repr=False)

    def at(self, where: Sequence[str | int], what: str) -> str:
        """One line: file, line of the innermost part of `where` that the file has, and what is to be said of it."""
        return _at(self.name, _mark(self.tree, where), what)


def policy_ids() -> list[str]:
    """The policies at hand by id."""
    return sorted({path.stem for folder in _FOLDERS for path in folder.glob("*.yaml")})


def load_policy(named: str) -> Policy:
    """The policy of an id (`policies/<id>.yaml`) or of a file's path. Raises `PolicyError`."""
    return load_source(named).policy


def load_source(named: str) -> PolicySource:
    """The same, with its file. Raises `PolicyError`."""
    path = _find(named)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: cannot be read as UTF-8 text ({type(error).__name__})") from None
    source = read_source(text, str(path))
    if named == path.stem and source.policy.id != named:
        raise PolicyError(source.at(["id"], f"id: write {named}, the name of the file"))
    return source


def _find(named: str) -> Path:
    if named.endswith((".yaml", ".yml")) or "/" in named:
        return Path(named)
    for folder in _FOLDERS:
        if (path := folder / f"{named}.yaml").is_file():
            return path
    raise PolicyError(f"{named}: no such policy; give one of {', '.join(policy_ids())} or a file ending in .yaml")


def read_policy(text: str, name: str = "policy") -> Policy:
    """A policy from YAML text. `name` is what errors call it. Raises `PolicyError`."""
    return read_source(text, name).policy


def read_source(text: str, name: str = "policy") -> PolicySource:
    """The same, with its file. Raises `PolicyError`."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
        body = orjson.dumps(content)
    except yaml.YAMLError as error:
        raise PolicyError(_at(name, getattr(error, "problem_mark", None), "not YAML; look at this line")) from None
    except (TypeError, ValueError):
        raise PolicyError(f"{name}: names and dates must be text: put them in quotes") from None
    for repeated in _repeated_keys(tree):
        raise PolicyError(_at(name, repeated.start_mark, f"{repeated.value}: stands twice; keep one"))
    try:
        return PolicySource(name, Policy.model_validate_json(body, strict=True), tree)
    except ValidationError as failed:
        raise PolicyError(*_told(failed, tree, name)) from None


def _told(failed: ValidationError, tree: yaml.Node | None, name: str) -> list[str]:
    """Each fault once. A setting nobody knows comes first: it is most often the misspelt form of one that is missing."""
    lines = []
    for error in sorted(failed.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden"):
        where = [part for part in error["loc"] if not _is_union_arm(part)]
        lines.append(_at(name, _mark(tree, where), f"{_field(where)}: {_mend(error)}"))
    return list(dict.fromkeys(lines))


def _is_union_arm(part: str | int) -> bool:
    """A step that pydantic puts into a place and the file does not have."""
    return part in ("bool", "Bound", "[key]") or str(part).startswith("function-")


def _at(name: str, mark: yaml.Mark | None, what: str) -> str:
    return f"{name}, line {mark.line + 1}: {what}" if mark is not None else f"{name}: {what}"


def _field(where: Sequence[str | int]) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in where) or "the file"


def _mend(error: ErrorDetails) -> str:
    match error["type"]:
        case "missing":
            return "is missing; add it"
        case "extra_forbidden":
            return "is no setting; take it out or mend its spelling"
        case "string_type":
            return "must be text; put it in quotes"
        case "model_type" if "when" in error["loc"]:
            return "must be true or false, or a limit like {at_least: 2}"
        case "enum" if "expected" in error.get("ctx", {}):
            return f"must be one of {error['ctx']['expected']}"
        case _:
            message = error["msg"].removeprefix("Input ")
            return message[:1].lower() + message[1:]


def _mark(tree: yaml.Node | None, where: Sequence[str | int]) -> yaml.Mark | None:
    """The line of the innermost part of `where` that the file has."""
    mark = tree.start_mark if tree is not None else None
    for part in where:
        if isinstance(tree, yaml.MappingNode):
            found = [(key, value) for key, value in tree.value if key.value == part]
            if not found:
                break
            key, tree = found[0]
            mark = key.start_mark
        elif isinstance(tree, yaml.SequenceNode) and isinstance(part, int) and part < len(tree.value):
            tree = tree.value[part]
            mark = tree.start_mark
        else:
            break
    return mark


def _repeated_keys(tree: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """Keys that stand twice in one mapping: YAML would silently take the last."""
    if isinstance(tree, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in tree.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    yield key
                seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(tree, yaml.SequenceNode):
        for value in tree.value:
            yield from _repeated_keys(value)


def policy_schema() -> Mapping[str, object]:
    """JSON Schema of a policy file, for editors and for partners."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Policy.model_json_schema()}


def main() -> None:
    """Write the schema beside the policies."""
    path = _FOLDERS[0] / "policy.schema.json"
    path.write_text(json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
