"""What may be seen by somebody else: it must be one SMS, and tell nothing of what it is about."""

from __future__ import annotations

import re

_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_TWO_SEPTETS = frozenset("^{}\\[~]|€\f")
"""GSM 03.38's default alphabet and its extension; any other character turns the message into UCS-2, of 70."""
SMS_LENGTH = 160
PREVIEW = 120
"""Characters of a mail that a locked telephone or a list of mails may show."""

_TELLING = re.compile(
    r"\b(?:police|sheriff\w*|officer\w*|detective\w*|prosecut\w+|district attorney|court\w*|judge\w*|jail|prison|arrest\w*"
    r"|crim\w+|victim\w*|survivor\w*|violen\w+|abus\w+|assault\w*|domestic|famil\w+|partner\w*|advoca\w+|shelter\w*"
    r"|safe\w*|danger\w*|protect\w+|rights?|justice|hotline|crisis|counsel\w*|help\w*|911"
    r"|polic[ií]a\w*|fiscal\w*|tribunal\w*|juez\w*|juici\w+|c[aá]rcel\w*|prisi[oó]n\w*|delito\w*|v[ií]ctima\w*"
    r"|agresi\w+|abus\w+|maltrat\w+|dom[eé]stic\w+|pareja\w*|defensor\w*|refugi\w+|segur\w+|peligr\w+|protec\w+"
    r"|derecho\w*|justicia|ayud\w+|consejer\w+|denunci\w+)\b",
    re.IGNORECASE,
)


_TELLING_SENDER = re.compile(
    r"police|polic[ií]a|sheriff|prosecut|fiscal|district-?attorney|court|justic|crime|victim|v[ií]ctim|violen|abus|assault"
    r"|domestic|dom[eé]stic|advoca|defensor|shelter|refugi|safe|segur|crisis|survivor|rescue|ayuda|women|mujer",
    re.IGNORECASE,
)


def septets(text: str) -> int | None:
    """Length of an SMS in GSM 7-bit characters; None where it would not be sent in that alphabet."""
    if set(text) - _GSM7 - _TWO_SEPTETS:
        return None
    return sum(2 if character in _TWO_SEPTETS else 1 for character in text)


def telling_sender(sender: str) -> str | None:
    """The same of a mail's sender, in whose address words run together."""
    found = _TELLING_SENDER.search(sender)
    return found[0].lower() if found else None


def telling(text: str) -> str | None:
    """The first word that would tell somebody else what a message is about, or None."""
    found = _TELLING.search(text)
    return found[0].lower() if found else None
