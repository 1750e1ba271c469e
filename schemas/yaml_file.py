"""YAML files that people edit: read strictly as a model, refused with lines that say where and how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import orjson
import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from yaml.composer import ComposerError

M = TypeVar("M", bound=BaseModel)
Where = Sequence[str | int]
Mend = Callable[[ErrorDetails], str]


class YamlError(ValueError):
    """This file cannot be used. One line: file, line, field, what to do."""

    def __init__(self, first: str, *others: str) -> None:
        super().__init__(first)
        self.others = others
        """What else is wrong with it, one line each."""


@dataclass(frozen=True, slots=True)
class YamlSource(Generic[M]):
    """What a file says, and where it says it."""

    name: str
    model: M
    tree: yaml.Node | None = field(repr=False)

    def at(self, where: Where, what: str) -> str:
        """One line: file, line of the innermost part of `where` that the file has, and what is to be said of it."""
        return _at(self.name, _mark(self.tree, where), what)


def find(named: str | Path, folders: Sequence[Path], error: type[ValueError], what: str) -> Path:
    """The file of a path, or of a name in one of `folders`. Raises `error`, which calls such files `what`."""
    if isinstance(named, Path) or named.endswith((".yaml", ".yml")) or "/" in named:
        return Path(named)
    for folder in folders:
        if (path := folder / f"{named}.yaml").is_file():
            return path
    raise error(f"{named}: no such {what}; give one of {', '.join(names(folders))} or a file ending in .yaml")


def names(folders: Sequence[Path]) -> list[str]:
    """By which `find` finds the files there."""
    return sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})


def read_text(path: Path, error: type[YamlError]) -> str:
    """The text of a file. Raises `error`."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as failed:
        raise error(f"{path}: cannot be read as UTF-8 text ({type(failed).__name__})") from None


def read_yaml(
    text: str,
    name: str,
    model: type[M],
    error: type[YamlError],
    mend: Mend | None = None,
    is_union_arm: Callable[[str | int], bool] = lambda part: False,
) -> YamlSource[M]:
    """`text` as `model`; `name` is what errors call it. Raises `error`, a line for each fault.

    `mend` says what to do about an error of pydantic's (`mended` where it is None); `is_union_arm` tells steps that pydantic
    puts into a place and the file does not have. A validator that raises with `faults` in its context, a list of (where,
    what), has each of them told with its own line.
    """
    loader = _Loader(text)
    try:
        tree = loader.get_single_node()
        body = orjson.dumps(loader.construct_document(tree) if tree is not None else None)
    except yaml.YAMLError as failed:
        raise error(_at(name, getattr(failed, "problem_mark", None), "not YAML; look at this line")) from None
    except (TypeError, ValueError):
        raise error(f"{name}: names and dates must be text: put them in quotes") from None
    finally:
        loader.dispose()
    for repeated in _repeated_keys(tree):
        raise error(_at(name, repeated.start_mark, f"{repeated.value}: stands twice; keep one"))
    try:
        return YamlSource(name, model.model_validate_json(body, strict=True), tree)
    except ValidationError as failed:
        raise error(*_told(failed, tree, name, mend or mended, is_union_arm)) from None


class _Loader(yaml.SafeLoader):
    """Without aliases: a few lines of them stand for more than any memory holds, and files come from others."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise ComposerError(None, None, "an alias", event.start_mark)
        return super().compose_node(parent, index)


def mended(error: ErrorDetails) -> str:
    """What to do about an error of pydantic's."""
    match error["type"]:
        case "missing":
            return "is missing; add it"
        case "extra_forbidden":
            return "is no setting; take it out or mend its spelling"
        case "string_type":
            return "must be text; put it in quotes"
        case "union_tag_invalid":
            return f"kind must be one of {error['ctx']['expected_tags']}"
        case "enum" | "literal_error" if "expected" in error.get("ctx", {}):
            return f"must be one of {error['ctx']['expected']}"
        case _:
            message = error["msg"].removeprefix("Input ")
            return message[:1].lower() + message[1:]


def _told(
    failed: ValidationError, tree: yaml.Node | None, name: str, mend: Mend, is_union_arm: Callable[[str | int], bool]
) -> list[str]:
    """Each fault once. A setting nobody knows comes first: it is most often the misspelt form of one that is missing."""
    lines = []
    for error in sorted(failed.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden"):
        where = [part for part in error["loc"] if not is_union_arm(part)]
        if faults := error.get("ctx", {}).get("faults"):
            lines += [_at(name, _mark(tree, [*where, *place]), what) for place, what in faults]
        else:
            lines.append(_at(name, _mark(tree, where), f"{_field(where)}: {mend(error)}"))
    return list(dict.fromkeys(lines))


def _at(name: str, mark: yaml.Mark | None, what: str) -> str:
    return f"{name}, line {mark.line + 1}: {what}" if mark is not None else f"{name}: {what}"


def _field(where: Where) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in where) or "the file"


def _mark(tree: yaml.Node | None, where: Where) -> yaml.Mark | None:
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
