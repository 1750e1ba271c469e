"""From the notifier's state to a letter: the one place where something of an offender's file is chosen for the page."""

from __future__ import annotations

from datetime import date, tzinfo

from schemas.notice_work import Correction
from schemas.notification import Channel, NotificationState
from services.notifier.domain import Notice, Offender
from services.notifier.letters.letter import AFTERWARDS, OF_TIER, Kind, Letter, LetterError, Meeting, may_be_cited


def kind_of(notice: Notice) -> Kind:
    """Which template: once the facts changed after service, what a person decided on; else by channel, else by tier."""
    if notice.state is NotificationState.CORRECTED:
        return Kind.WITHDRAWAL if notice.correction is Correction.WITHDRAWAL else Kind.CORRECTION
    match notice.channel:
        case Channel.CUSTODY_VISIT:
            return Kind.CUSTODY_VISIT
        case Channel.CALL_IN:
            return Kind.CALL_IN
        case _:
            return OF_TIER[notice.tier]


def letter_of(offender: Offender, notice: Notice, *, on: date, zone: tzinfo, meeting: Meeting | None = None) -> Letter:
    """The letter of a notice. `on` is printed as its date: the day of the delivery round, never a day of the incident's.

    `zone` is the county's, in which the day of an earlier service is named. Raises `LetterError`: no name is on record, or
    a field cannot be printed.
    """
    worded = offender.worded(notice)
    kind = kind_of(worded)
    name = offender.described.name if offender.described else None
    if name is None:
        raise LetterError("letter: name: none is on record; agencies send it with ipvi.offender.described.v1")
    served_at = notice.served_at if kind in AFTERWARDS else None
    return Letter.of(
        kind=kind,
        tier=worded.tier,
        language=notice.language,
        name=name,
        dated=on,
        statutes=_statutes(offender, notice, kind),
        meeting=meeting if kind is Kind.CALL_IN else None,
        served_on=served_at.astimezone(zone).date() if served_at else None,
    )


def _statutes(offender: Offender, notice: Notice, kind: Kind) -> tuple[str, ...]:
    """Those charged, each once; none where no charge has told him already that somebody came forward.

    What an agency wrote into the field and is no citation (a story, the name of a person) is left out: the letter then says
    *charged* and names less.
    """
    pair = offender.pairs.get(notice.pair_id)
    if pair is None or offender.is_unannounced(notice) or kind in AFTERWARDS or kind is Kind.CALL_IN:
        return ()
    return tuple(dict.fromkeys(filter(may_be_cited, pair.statutes)))
