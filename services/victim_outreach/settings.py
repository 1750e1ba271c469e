"""What victim outreach reads from its environment."""

from __future__ import annotations

from services.common.settings import CommonSettings


class VictimOutreachSettings(CommonSettings):
    """See `CommonSettings`. All that a county sets is in its policy."""
