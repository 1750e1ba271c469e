"""States in memory: those of the offenders met last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TypeVar

S = TypeVar("S")


class Recent(OrderedDict[str, S]):
    """By offender, the one met longest ago first. A batch needs all of its own, so only `trim` forgets."""

    def met(self, keys: Iterable[str]) -> None:
        """Those of `keys` that are here were met just now."""
        for key in keys:
            if key in self:
                self.move_to_end(key)

    def trim(self, most: int) -> None:
        """Forget whoever was met longest ago, until there are `most`."""
        while len(self) > most:
            self.popitem(last=False)
