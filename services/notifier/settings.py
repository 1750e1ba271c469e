"""What the notifier reads from its environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from services.common.settings import CommonSettings


class NotifierSettings(CommonSettings):
    """See `CommonSettings`."""

    releases_per_hour: Annotated[int, Field(ge=1)] = 20
    """Notices one lane releases in an hour before it stops and asks a person. A county of 500,000 gives about 50 a week
    in all (`DOMAIN.md` 1.7): more at once is a history load or a feed fault."""
