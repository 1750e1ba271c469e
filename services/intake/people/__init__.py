"""The records of people that follow from what agencies send: what is held of each offender, and all his victims.

Both topics carry whole records, replaced each time, so intake keeps what it has said of each (`store`), over all files, feeds
and restarts. Here are the rules alone: persons as they were in, persons as they are and the records to write out.
"""

from services.intake.people.custody import Stay, parted
from services.intake.people.facts import Facts, OffenderFacts, VictimFacts
from services.intake.people.person import Person, Telling
from services.intake.people.records import FINAL, Own, People, named

__all__ = [
    "FINAL",
    "Facts",
    "OffenderFacts",
    "Own",
    "People",
    "Person",
    "Stay",
    "Telling",
    "VictimFacts",
    "named",
    "parted",
]
