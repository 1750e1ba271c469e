"""What partners say, and the clock."""

from __future__ import annotations

from dataclasses import replace

from schemas.commands import ConfirmNote, PartnersTick
from services.common.service import Input, Outcome, Refused
from services.partners.domain import Offender
from services.partners.rules import Terms
from services.partners.usecases.telling import Draft


def confirm(offender: Offender, command: ConfirmNote, given: Input, terms: Terms) -> Outcome[Offender]:
    """It is gone there. Then the note itself is overwritten in the journal: it names what was erased."""
    if command.partner != terms.partner.id:
        return Outcome(offender, result="none")
    note = offender.notes.get(command.note_id)
    if note is None:
        raise Refused("unknown_note")
    if note.confirmed_at is not None:
        return Outcome(offender, result="none")
    notes = {**offender.notes, note.note_id: replace(note, confirmed_at=given.at)}
    return Outcome(replace(offender, notes=notes), erase=(note.note_id,))


def clock(offender: Offender, _: PartnersTick, given: Input, terms: Terms) -> Outcome[Offender]:
    """The subscription was renewed: what is owed is said now."""
    draft = Draft(offender, given, terms)
    if draft.lapsed:
        return Outcome(offender, result="none")
    draft = replace(draft, offender=replace(offender, owed=()))
    for pair_id in offender.owed:
        draft = draft.withdraw(pair_id)
    return draft.tell_tier(offender.offender_id).outcome(offender)  # one tick is everybody's
