"""Which charges a court's word is about, and when it must go.

A court names an arrest and a charge of it, never an incident, and one arrest may be made for several incidents. A *matter* is
a charge of an arrest. When an incident is expunged its matters go with it, but for those of another incident as well; the
sealed ids that stay keep out what the court says of them later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from schemas.incident import CaseDisposed, IncidentReported

Seal = Callable[[str], str]
"""An id to its keyed hash, by which it can be known again and not be read."""


def matter(arrest_id: str, charge: str) -> str:
    return f"{arrest_id}|{charge}"


def matters(report: IncidentReported) -> frozenset[str]:
    """The charges of the arrest that it names."""
    if report.arrest is None:
        return frozenset()
    return frozenset(matter(report.arrest.arrest_id, offense.code) for offense in report.offenses)


def arrests(matters: Iterable[str]) -> frozenset[str]:
    """Of these matters."""
    return frozenset(each.rpartition("|")[0] for each in matters)


def sealed(matter: str, seal: Seal) -> str:
    """As no incident can be sealed, should an agency number both alike."""
    return seal(f"\n{matter}")


def all_sealed(matters: Collection[str], seal: Seal) -> frozenset[str]:
    """What stays of matters that are expunged: by arrest too, since a court may find on a charge that was never made."""
    whole = (matter(each, "") for each in arrests(matters))
    return frozenset(sealed(each, seal) for each in (*matters, *whole))


def is_out(word: CaseDisposed, named: Collection[str], expunged: Collection[str], seal: Seal) -> bool:
    """Whether the word is on what was expunged, and not on a matter of any incident that is left.

    `named`: the matters of those, taken back or not.
    """
    its, whole = matter(word.arrest_id, word.charge), matter(word.arrest_id, "")
    if its in named:
        return False
    return sealed(its, seal) in expunged or (sealed(whole, seal) in expunged and word.arrest_id not in arrests(named))
