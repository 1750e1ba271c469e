"""How she may be reached, as one reader may see it; and for her advocates, as police see it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.advocacy import ConsentRecipient, ConsentScope
from schemas.outreach import ContactChannel, TaskOwner
from services.victim_outreach import domain
from services.victim_outreach.rules import SafeContact, Use, looser, safe_contact
from services.victim_outreach.store.cases.shapes import ChannelLine, PoliceLine, PoliceProfile, SafeContactLine, ToDo

POLICE = frozenset({TaskOwner.AGENCY})


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reader may see. `guarding`: gates and holds; `advocate`: links, and who she might be besides.

    `lifts`: whose holds the reader may lift, and of whose she is told by whom they are; None: anyone's.
    """

    owners: Collection[TaskOwner]
    guarding: bool
    advocate: bool
    lifts: Collection[str] | None = frozenset()


@dataclass(frozen=True, slots=True)
class Reach:
    """All that she told anybody, every try to reach her, and what she allowed; with any offender."""

    profiles: Sequence[domain.Profile]
    attempts: Sequence[domain.Attempt]
    allowed: Sequence[domain.Consent]
    now: datetime

    def profiles_for(self, owners: Collection[TaskOwner]) -> list[domain.Profile]:
        """Those of the reader's own, and those she let the agency see for as long as she did."""
        let = {
            one.owner
            for one in self.allowed
            if (one.scope, one.recipient) == (ConsentScope.SAFE_CONTACT, ConsentRecipient.AGENCY)
            and one.holds(self.now)
        }
        return [one for one in self.profiles if one.owner in {*owners, *let}]

    def attempts_of(self, task_ids: Collection[str]) -> list[domain.Attempt]:
        return [one for one in self.attempts if one.task_id in task_ids]

    def shown(self, owners: Collection[TaskOwner], task_ids: Collection[str]) -> SafeContactLine:
        """To whoever sees records of `owners`, and what was done at these tasks. Nothing hints at what others were told."""
        found = self._known(owners, task_ids)
        channels = tuple(ChannelLine(channel, found.known(channel), found.use(channel)) for channel in ContactChannel)
        to_do: tuple[ToDo, ...] = ()
        if any(line.use is Use.ASK_FIRST for line in channels):
            to_do = (ToDo.ASK_HER,) if set(TaskOwner) <= set(owners) else (ToDo.ASK_HER, ToDo.ASK_HER_ADVOCATE)
        return SafeContactLine(found.no_contact, channels, to_do)

    def beside(
        self,
        theirs: Collection[TaskOwner],
        their_tasks: Collection[str],
        owners: Collection[TaskOwner],
        task_ids: Collection[str],
    ) -> PoliceLine:
        """What `theirs` are shown, against what who sees `owners` is."""
        ways = looser(self._known(theirs, their_tasks), self._known(owners, task_ids))
        if not self.profiles_for(theirs):
            return PoliceLine(PoliceProfile.NONE, ways)
        return PoliceLine(PoliceProfile.LOOSER if ways else PoliceProfile.AS_STRICT, ways)

    def _known(self, owners: Collection[TaskOwner], task_ids: Collection[str]) -> SafeContact:
        return safe_contact(self.profiles_for(owners), self.attempts_of(task_ids), self.now)
