"""What the other services say: gates, the described offender, the clock of the lane."""

from __future__ import annotations

from dataclasses import replace

from schemas.commands import NotifierTick
from schemas.outreach import GateChanged, GateHeartbeat
from schemas.person import OffenderDescribed
from services.common.service import Input, Outcome
from services.notifier.domain import Gate, Offender, Pair
from services.notifier.rules import NoticePolicy
from services.notifier.usecases.settling import settled
from services.notifier.usecases.telling import Draft


def gate_changed(offender: Offender, change: GateChanged, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """Kept whether or not the pair is known yet. A version that is not higher has been overtaken."""
    pair = offender.pairs.get(change.pair_id, Pair(change.pair_id))
    if pair.gate is not None and change.version <= pair.gate.version:
        return Outcome(offender, result="none")
    gate = Gate(change.gate, change.version, given.at, change.answers)
    return settled(Draft(offender.with_pair(replace(pair, gate=gate))), given, policy)


def described(offender: Offender, record: OffenderDescribed, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """Custody and language change how a notice is given; a conflict of interest holds it."""
    return settled(Draft(replace(offender, described=record)), given, policy)


def clock(offender: Offender, _: GateHeartbeat | NotifierTick, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """A tick or a heartbeat: the gate keeper has fallen silent, or has come back."""
    return settled(Draft(offender), given, policy)
