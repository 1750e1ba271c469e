"""What the lethality screen comes to (DOMAIN 5, LAP): it calls for help, and changes nothing for him."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.advocacy import Answer, ScreenResult

QUESTIONS = 11
_EACH_ALONE = 3
"""A yes to any of the first three is high danger ..."""
_OF_THE_REST = 4
"""... as are so many of the others."""


def result(answers: Sequence[Answer], *, believed: bool) -> ScreenResult:
    """`answers`: eleven, or none where she declined to be asked. What she left open is not a no, nor a yes."""
    yes = [answer == Answer.YES for answer in answers]
    if believed or any(yes[:_EACH_ALONE]) or sum(yes[_EACH_ALONE:]) >= _OF_THE_REST:
        return ScreenResult.HIGH
    answered = any(answer != Answer.UNANSWERED for answer in answers)
    return ScreenResult.NOT_HIGH if answered else ScreenResult.DECLINED
