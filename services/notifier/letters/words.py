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


def forbidden(texts: Iterable[str], lang: str, *, uncharged: bool = False) -> str | None:
    """The first word that a letter in this language may not say, lower case; None: all may be said.

    `uncharged`: the D letter, which must point at no relationship, home or charge either.
    """
    words = f"{_NEVER[lang]}|{_NEVER_ON_D[lang]}" if uncharged else _NEVER[lang]
    found = re.search(rf"\b(?:{words})\b", "\n".join(texts), re.IGNORECASE)
    return found[0].lower() if found else None
