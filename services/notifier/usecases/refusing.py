"""How a command is refused."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 (an answer, not a fault)
    """The command may not be done; the argument is the code."""
