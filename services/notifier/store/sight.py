"""Which notices a reader may see: all, but officers those of a colleague only where they are to give them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, exists, false, or_, select, true

from services.notifier.store.tables import notifications, offenders, pairs, past_notifications


@dataclass(frozen=True, slots=True)
class Sight:
    """Of one reader. `agency` (ORI) is an officer's, where the credential says one."""

    whole: bool
    """A coordinator or the like, who routes what officers may not see."""
    agency: str | None = None

    def of(self, offender_id: Column[str], notification_id: Column[str]) -> ColumnElement[bool]:
        """Whether the notice is in sight, and what hangs on it. The same as `Offender.is_for`; of a record that was
        merged, what is known of him where it went counts as well.
        """
        if self.whole:
            return true()
        kept = past_notifications.alias()
        elsewhere = exists().where(kept.c.notification_id == notification_id, _conflict(kept.c.offender_id))
        return or_(~or_(_conflict(offender_id), elsewhere), self._routed(notification_id))

    def _routed(self, notification_id: Column[str]) -> ColumnElement[bool]:
        if self.agency is None:
            return false()
        sent, by = notifications.alias(), pairs.alias()
        reported = exists().where(by.c.offender_id == sent.c.offender_id, by.c.opened, by.c.agency == self.agency)
        return exists().where(sent.c.notification_id == notification_id, sent.c.route == self.agency, ~reported)


def _conflict(offender_id: Column[str]) -> ColumnElement[bool]:
    """He is an officer himself (`Offender.conflict`)."""
    him, said, standing = offenders.alias(), pairs.alias(), pairs.alias()
    described = him.c.described["conflict_of_interest"].as_boolean()
    anything_open = select(standing.c.pair_id).where(standing.c.offender_id == offender_id, standing.c.opened).exists()
    return or_(
        exists().where(him.c.offender_id == offender_id, described),
        exists().where(said.c.offender_id == offender_id, said.c.conflict, or_(said.c.opened, ~anything_open)),
    )
