"""How often what happens. In brackets the source, as `../shared/DOMAIN.md` 9 lists them; [-]: invented, no source gives it."""

from __future__ import annotations

from typing import Final

# Incidents -------------------------------------------------------------------------------------------

REPEATERS: Final = ((0.80, 0.14), (0.15, 0.50), (0.05, 0.86))
"""Share of offenders, and how likely one more incident follows each. Most never come again, a few are chronic; so that about 16
to 17 % do within a year, as the evaluation found [QFCC], and about one in six of all notified [GSO]."""
SOON_SHARE: Final = 0.565
"""Of repeats, within `SOON_DAYS` [VPR4]."""
SOON_DAYS: Final = 91.0
LATER_DAYS: Final = 420.0
"""Mean of what comes after that [-]."""
CHARGED_FIRST: Final = 0.29
"""Of first incidents, so that lists come out about as in the first year: D 469, C 166, B 38 [POSTER]."""
CHARGED_AGAIN: Final = 0.45
"""Of later ones: 94 arrests a month among some 2,500 cases a year [NCNSC4, FOX13]."""
PROBABLE_CAUSE_UNCHARGED: Final = 0.08
"""[-] No arrest is not no probable cause: both are kept (DOMAIN 3)."""
INFORMED_UNCHARGED: Final = 0.5
"""[-] Police spoke with him, though nothing was charged."""
RELATIONSHIPS: Final = {"BG": 44, "SE": 22, "XR": 14, "XS": 6, "CS": 5, "HR": 1}
"""Weights [-]; codes of the FBI's intimate group [SEARCH, RTI]."""
ENDS: Final = {"BG": "XR", "SE": "XS", "CS": "XR", "HR": "XR"}
"""What she was to him, and is once they have parted."""
PARTED_SHARE: Final = 0.12
"""[-] Between two incidents."""
NEW_PARTNER_SHARE: Final = 0.22
"""[-] Between two incidents: the history follows him, not the couple [RIB]."""
RELATIONSHIP_UNKNOWN: Final = 0.06
"""[-] RU; elsewhere nearly half of the forms that would tell were never filed [CER]."""
NOT_A_PARTNER: Final = 0.05
"""[-] Another relative or a friend: no IPV, and police data hold it all the same [BWJP2]."""
UNIDENTIFIED_VICTIM: Final = 0.05
CHILD_PRESENT: Final = 0.07
"""[-] A second victim, a child of hers."""
CHILD_IN_COMMON: Final = 0.25
OFFENSES: Final = {"13B": 600, "13A": 120, "13C": 170, "290": 60, "100": 12, "11A": 8, "220": 10, "90J": 18, "09A": 0.5}
"""Weights [-]; the codes worth routing (DOMAIN 4.2)."""
FORCE: Final = {
    "13B": {"40": 90, "30": 6, "": 4},
    "13A": {"85": 34, "20": 18, "12": 14, "30": 14, "40": 20},
    "09A": {"12": 1},
}
"""Weights by offence [-]."""
OF_PERSONS: Final = frozenset(["13A", "13B", "13C", "100", "11A", "09A"])
MUTUAL: Final = 0.02
"""[-] Both are charged or suspected: each is the other's victim (VO links, edits 470 to 474)."""
CONFLICT: Final = 0.004
"""[-] Of people: a sworn officer or the like [BULL]."""
TRIED_AS_ADULT: Final = 0.1
"""[-] Of those under 18 (S.L. 2024-17)."""

# Reports ---------------------------------------------------------------------------------------------

LATE: Final = 0.04
"""[-] Reported up to `LATE_DAYS` after."""
LATE_DAYS: Final = 90.0
AMENDED: Final = 0.06
RETRACTED: Final = 0.012
INSERTED_AGAIN: Final = 0.5
"""[-] Of what was taken back: reported anew, as the agency's system corrects."""
SENT_TWICE: Final = 0.01
"""[-] The very same event."""
DOUBLE: Final = 0.015
"""[-] Another agency reports the same incident under a number of its own; the arrest is the same."""
SCREENED: Final = 0.54
"""Of victims, whose form was filed [CER]."""
SCREENED_HIGH: Final = 0.51
"""Of those screened [LAPCT]."""
SCREEN_DECLINED: Final = 0.1
SUBSTITUTE_ADDRESS: Final = 0.01
"""[-] Address confidentiality (N.C.G.S. 15C) [15C]."""
MERGED: Final = 0.1
"""[-] Of people with two ids or more: a person found out, and said so."""

# Courts and jail -------------------------------------------------------------------------------------

JAILED: Final = 0.85
"""[-] Of arrests; the others are summoned."""
HEARING_HOURS: Final = 48.0
"""At most, from the arrest to the judge who sets the terms (N.C.G.S. 15A-534.1) [534]."""
FEED_LAG_MINUTES: Final = (15.0, 45.0)
"""From booking or release to the jail's feed [VALM, HYDE]."""
HELD_ON: Final = 0.2
"""[-] Stays after the hearing."""
CONDITION_DAYS: Final = 180.0
"""[-] Conditions of release run from the hearing."""
PROTECTIVE_ORDER: Final = 0.18
"""[-] Of charged incidents; a year (N.C.G.S. 50B-3) [50B]."""
BREACH: Final = 0.35
"""[-] Of incidents while an order or condition runs; short-term risk rises with breaches [AIC]."""
DISPOSED: Final = 0.75
DISPOSITIONS: Final = {"convicted": 34, "dismissed": 62, "acquitted": 4}
"""Weights [-]; where victims decline, cases are dismissed [AIR2]."""
MISKEYED: Final = 0.05
"""[-] Of the clerk's rows: the charge's text is misspelt; its statute is right."""
UNREADABLE: Final = 0.005
"""[-] Of the clerk's rows: the date is none."""
EXPUNGED: Final = 0.08
"""[-] Of incidents whose charge was dismissed or acquitted (N.C.G.S. 15A-146) [SOGX]."""
NOTICED: Final = 0.3
"""[-] Of incidents before this system: he was given a notice."""
