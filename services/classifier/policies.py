"""A policy that decisions may rest on: it reads, and every row and list of it can come to something."""

from __future__ import annotations

from schemas.policy import Policy
from schemas.policy_file import PolicyError, PolicySource, load_source
from services.classifier.domain.examination import Problem, examine


def usable(named: str) -> Policy:
    """The policy of an id or of a file's path. Raises `PolicyError` for what `ipvi policy check` calls an error."""
    source = load_source(named)
    errors = [told(source, each) for each in examine(source.policy).errors]
    if errors:
        raise PolicyError(*errors)
    return source.policy


def told(source: PolicySource, problem: Problem) -> str:
    """One line: file, line, what is wrong, the mend."""
    return source.at(problem.place, f"{problem.what}; {problem.mend}")
