"""Pictures of documents as a person has looked at them and found them fit, and whether a page still looks like its own.

`python -m tests.golden.pictures` signs the sample county's wordings as samples again and draws all anew after a change; look
at every one before you commit it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from PIL import Image, ImageChops

from schemas.outreach import TaskOwner
from services.common.signoffs import SignOff, add_signoff
from services.notifier.letters import Kind, load_letters
from services.notifier.letters.example import example as sample_letter
from services.victim_outreach.texts import Kind as TextKind
from services.victim_outreach.texts import load_texts
from services.victim_outreach.texts.example import example as sample_text
from tests.harness.letters import SAMPLE_COUNTY

HERE = Path(__file__).parent
PPI = 80
LEVELS = 16
"""Greys a reviewed picture is kept in."""
TOLERANCE = 40
"""Of 255: what rounding of greys and another processor's arithmetic may change in one pixel."""


def letters() -> Iterator[tuple[str, bytes]]:
    """Name and page of every letter: one of each template."""
    book = load_letters(SAMPLE_COUNTY)
    for kind in Kind:
        for language in ("en", "es"):
            for number, page in enumerate(book.look(sample_letter(kind, language), PPI), start=1):
                yield f"letters/{kind.value}-{language}-{number}.png", page


def texts() -> Iterator[tuple[str, bytes]]:
    """Name and page of every text for victims: who holds the task differs, so that both notes are seen."""
    book = load_texts(SAMPLE_COUNTY)
    for kind in TextKind:
        for language, owner in (("en", TaskOwner.SYSTEM_ADVOCATE), ("es", TaskOwner.COMMUNITY_ADVOCATE)):
            for number, page in enumerate(book.look(sample_text(kind, language, owner=owner), PPI), start=1):
                yield f"texts/{kind.value}-{language}-{number}.png", page


def pages() -> dict[str, bytes]:
    """Every page there is, by the name of its picture."""
    return dict([*letters(), *texts()])


def grey(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("L")


def differing(page: bytes, reviewed: Path) -> int:
    """How many pixels differ by more than `TOLERANCE`; -1: another size."""
    now, then = grey(page), grey(reviewed.read_bytes())
    if now.size != then.size:
        return -1
    return sum(ImageChops.difference(now, then).histogram()[TOLERANCE + 1 :])


def sign_samples() -> None:
    """Put the sample county's wordings, as they stand now, under a sample's sign-off."""
    path = SAMPLE_COUNTY / "signoffs.yaml"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("- ")), "utf-8")
    for book in (load_letters(SAMPLE_COUNTY), load_texts(SAMPLE_COUNTY)):
        for one in book.templates.values():
            signed = SignOff(
                template=one.key, version=one.version, sha256=one.digest, by="Nobody",
                role="Sample, to try the system with", signed_on=date(2026, 1, 5), sample=True,
            )  # fmt: skip
            add_signoff(SAMPLE_COUNTY, signed)


def draw() -> None:
    """Write every picture."""
    for name, page in pages().items():
        path = HERE / name
        path.parent.mkdir(exist_ok=True)
        grey(page).quantize(LEVELS, dither=Image.Dither.NONE).save(path, optimize=True, bits=4)


if __name__ == "__main__":
    sign_samples()
    draw()
