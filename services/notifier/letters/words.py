"""Words that no letter says, whoever wrote it: the county's own wordings and data are read against them before use.

They would tell him that somebody came forward, who, or that he did it; or they give a person a sex. Source: `DOMAIN.md` 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SOURCE_EN = (
    r"victims?|survivors?|complain\w*|accus(?:e|es|er|ers|ation|ations)|report(?:s|ed|ing)|callers?|called|tips?|tipped"
    r"|witness\w*|testif\w+|testimony|statements?|informants?|alleg\w+|told us|asked us|advocates?|shelters?|911"
)
_SOURCE_ES = (
    r"v[ií]ctimas?|sobrevivientes?|denunci\w+|quej\w+|acusador\w*|llam[oó]|testig\w+|testific\w+|testimonios?|declaraci\w+"
    r"|informantes?|nos pidi\w+|nos dij\w+|refugios?"
)
_GUILT_EN = r"guilt\w*|incidents?|further violence|again|perpetrators?|abusers?|batterers?|offenders?"
_GUILT_ES = r"culpab?l?e?s?|incidentes?|de nuevo|otra vez|agresor\w*|maltratador\w*|reincid\w+"
_SEX_EN = (
    r"she|her|hers|herself|he|him|his|himself|wife|husband|girlfriend|boyfriend|women|woman|men|man|household|children"
)
_SEX_ES = (
    r"ella|ellas|él|ellos|espos[oa]s?|marido|mujer(?:es)?|hombres?|novi[oa]s?|hij[oa]s|acusad[oa]|detenid[oa]"
    r"|señor(?:a|es)?"
)
_ON_D_EN = r"partners?|ex-partners?|spouses?|marriage|home|houses?|charged|convict\w+|another|repeat\w*|judges?"
_ON_D_ES = r"parejas?|expareja\w*|c[oó]nyuges?|matrimonios?|hogar\w*|casas?|imput\w+|condena\w*|jue[cz]\w*"

_NEVER = {
    "en": "|".join((_SOURCE_EN, _GUILT_EN, _SEX_EN)),
    "es": "|".join((_SOURCE_ES, _GUILT_ES, _SEX_ES)),
}
_NEVER_ON_D = {"en": _ON_D_EN, "es": _ON_D_ES}

# Of statutes: how codes are called, and what offenses are.
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


def is_of_citation(part: str) -> bool:
    """Whether a word or number may stand in the citation of a statute. Closed lists: what is on none could be a name."""
    plain = part.lstrip("§").rstrip(".")
    if re.search(r"\d", plain):
        return _NUMBER.fullmatch(plain) is not None and _NO_STATUTE.fullmatch(plain) is None
    word = plain.strip("()").replace(".", "").lower()
    return not word or (word in _OF_CITATIONS and (word not in _NAMES_TOO or "." in part))


def forbidden(texts: Iterable[str], lang: str, *, uncharged: bool = False) -> str | None:
    """The first word that a letter in this language may not say, lower case; None: all may be said.

    `uncharged`: the D letter, which must point at no relationship, home or charge either.
    """
    words = f"{_NEVER[lang]}|{_NEVER_ON_D[lang]}" if uncharged else _NEVER[lang]
    found = re.search(rf"\b(?:{words})\b", "\n".join(texts), re.IGNORECASE)
    return found[0].lower() if found else None
