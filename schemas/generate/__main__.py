"""`python -m schemas.generate [--check | --readers-first | --breaking] [--release]`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from schemas.generate import JSON_SCHEMAS, PROJECT, artefacts, orphans
from schemas.generate.evolution import breaks
from schemas.generate.released import release


def main(arguments: list[str]) -> int:
    """Returns 0: done or current; 1: not current, or a change refused."""
    options = _parser().parse_args(arguments)
    made, gone = artefacts(), orphans()
    stale = [path for path, text in made.items() if not path.is_file() or path.read_text("utf-8") != text]
    if options.release:
        return _release(replace=options.breaking)
    if options.check:
        return _say("not current, run `python -m schemas.generate`", [_name(path) for path in [*stale, *gone]])
    refused = [] if options.breaking else refusals(stale, made, gone, readers_first=options.readers_first)
    if refused:
        return _say("a breaking change is a new type and topic (.v2)", refused)
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[path], "utf-8")
    for path in gone:
        path.unlink()
    print(f"{len(made)} files, {len(stale)} written, {len(gone)} removed")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description="Write the contract's artefacts.")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true", help="write nothing; say what is not current")
    choice.add_argument(
        "--readers-first",
        action="store_true",
        help="accept what readers of today cannot read (a new code): every reader is deployed before any writer",
    )
    parser.add_argument(
        "--release",
        action="store_true",
        help="write down the contract as released under the version of pyproject.toml; later ones are held against it",
    )
    choice.add_argument("--breaking", action="store_true", help="accept any change: only before the first release")
    return parser


def _release(*, replace: bool) -> int:
    """What was released stays as it was, unless it has reached nobody yet (`--breaking`)."""
    path, text = release()
    if path.is_file() and path.read_text("utf-8") != text and not replace:
        return _say("released already, and not like this: a new version in pyproject.toml first", [_name(path)])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    print(f"{_name(path)} written")
    return 0


def refusals(stale: list[Path], made: dict[Path, str], gone: list[Path], *, readers_first: bool) -> list[str]:
    """Why these changes may not be written: what new readers, or readers of today, could not read."""
    found = [f"{_name(path)}: the type is gone" for path in gone]
    for path in stale:
        if path.parent == JSON_SCHEMAS and path.is_file():
            old, new = json.loads(path.read_text("utf-8")), json.loads(made[path])
            found += [f"{path.stem}: new readers, old records: {each}" for each in breaks(new, old)]
            if not readers_first:
                found += [f"{path.stem}: old readers, new records: {each}" for each in breaks(old, new)]
    return found


def _say(what: str, lines: list[str]) -> int:
    if lines:
        print(what, *lines, sep="\n  ", file=sys.stderr)
    return 1 if lines else 0


def _name(path: Path) -> str:
    return str(path.relative_to(PROJECT))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
