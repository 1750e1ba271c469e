"""What is kept of one of his victims with other offenders: what she said there of safe contact holds with him as well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from schemas.advocacy import Hear
from services.common.service import Input, Outcome
from services.victim_outreach.domain import CaseFile, Link, ToldAttempt, ToldProfile
from services.victim_outreach.rules import Terms
from services.victim_outreach.usecases.links import by_last_word, relinked
from services.victim_outreach.usecases.settling import applied

KINDS: Mapping[str, TypeAdapter[Any]] = {
    "links": TypeAdapter(list[Link]),
    "profiles": TypeAdapter(list[ToldProfile]),
    "attempts": TypeAdapter(list[ToldAttempt]),
}


def heard(file: CaseFile, data: Hear, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """In place of what was told of her before, so that nothing outlives what it was taken from. None of it goes further."""
    kept = {name: KINDS[name].validate_python(data.kept.get(name, [])) for name in KINDS}
    hers = frozenset(data.victim_ids)
    after = replace(
        relinked(file, by_last_word(file.links, kept["links"])),
        told_profiles={
            **{key: one for key, one in file.told_profiles.items() if one.victim_id not in hers},
            **{(one.from_case_id, one.victim_id, one.owner): one for one in kept["profiles"]},
        },
        told_attempts={
            **{key: one for key, one in file.told_attempts.items() if one.victim_id not in hers},
            **{(one.task_id, one.number): one for one in kept["attempts"]},
        },
    )
    return applied(file, after, given, terms)
