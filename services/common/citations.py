"""What may stand in the citation of a statute: closed lists, for an agency's field is free text and may hold a name.

Letters and partners' copies leave out whatever is none.
"""

from __future__ import annotations

import re

# How codes are called, and what offenses are.
_CODES = (
    "act ak al ann annotated ar ars art article az c ca cal cc cga cgs ch chapter co code codified comp compiled conn"
    " consol cr crim criminal cs ct dc de del domestic fl fla fs ga gen general gs hi hrs ia ic id idaho il ilcs ill in"
    " ind iowa krs ks ksa ky la law laws ma mass mca mcl md me mgl mich minn miss mo mont mrs ms msa mt nc ncgs nd ndcc ne"
    " neb nev nh nj njsa nm nmsa no nrs nv ny oca ocga oh ohio ok okla or orc ors pa pc pen penal pl procedure pub qc rc"
    " rcw rev revised ri rs rsa rsmo s sc sd sdcl sec sect section st stat state stats statute statutes sub subd subsec"
    " subsection tca tenn tex title tn tx uc us usc ut utah va vc vsa vt wa wash wi wis wv wy wyo"
)
_OFFENSES = (
    "a abuse affray aggravated an and arson assault attempt attempted battering battery bodily breaking burglary by child"
    " coercive communicating communication conspiracy contact control court criminal cruelty custody cyberstalking"
    " dangerous dating deadly degree destruction discharging disorderly domestic dv dvpo dwelling emergency endangerment"
    " entering ex extortion false family felonious felony female fifth firearm first for fourth from great habitual"
    " harassing harassment harm imminent imprisonment in inflicting injunction injure injury intent inter interference"
    " interfering intimidation into kidnapping kill larceny malicious member menacing mischief misdemeanor murder"
    " no-contact of offense on or order orders partner peace person persons phone physical possession pretrial property"
    " protection protective public rape reckless release residence resisting restraining restraint robbery second serious"
    " sexual simple spouse stalking strangulation suffocation telephone terroristic the third threat threatening threats"
    " to trespass trespassing unlawful violating violation violence weapon weapons with without"
)
_OF_CITATIONS = frozenset((*_CODES.split(), *_OFFENSES.split()))
_NAMES_TOO = frozenset({"al", "ann", "art", "cal", "del", "gen", "miss", "mo", "tex"})
"""Of a code only where shortened: `Ann.`"""
_NUMBER = re.compile(
    r"\(?\d{1,6}[A-Za-z]?(?:(?<=[A-Za-z]):\d{1,3}|:\d{1,3}(?=\.\d))?(?:[-./]\d{1,4}[A-Za-z]?)*"
    r"(?:\((?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})\))*\)?"
)
_NO_STATUTE = re.compile(
    r"""(?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12]\d|3[01])[-./](?:\d\d|(?:19|20)\d\d)  # a day
    | (?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])
    | (?:19|20)\d\d(?:[-/]\d+)*                                                  # a year, a day, a report of that year
    | (?:\d{3}[-.])?\d{3}[-.]\d{4}                                              # a telephone
    """,
    re.VERBOSE,
)
_LONGEST_CITATION = 80
"""As `schemas.incident` has it."""
_CITED = re.compile(r"\d[A-Za-z]{0,2}[-.:/]\d|\d\(\w+\)|(?:§|\bs\.|\bsec\.?|\bart\.?)\s*\d", re.IGNORECASE)
"""14-33, 50B-4.1, 784.03, 922(g), s. 13A: a number alone may be a house's."""


def is_citation(statute: str) -> bool:
    """Whether this cites a statute and says nothing else: short, numbers as statutes have them, words as codes have them.

    Every word and every number is of a closed form: a name, a street, a day, a time, a telephone or the number of a report
    beside the citation makes it none.
    """
    cited = len(statute) <= _LONGEST_CITATION and _CITED.search(statute) is not None
    return cited and all(map(_is_part, re.split(r"[\s,;&]+|:\s", statute)))


def _is_part(part: str) -> bool:
    """Whether a word or number may stand in the citation of a statute. Closed lists: what is on none could be a name."""
    plain = part.lstrip("§").rstrip(".")
    if re.search(r"\d", plain):
        return _NUMBER.fullmatch(plain) is not None and _NO_STATUTE.fullmatch(plain) is None
    word = plain.strip("()").replace(".", "").lower()
    return not word or (word in _OF_CITATIONS and (word not in _NAMES_TOO or "." in part))
