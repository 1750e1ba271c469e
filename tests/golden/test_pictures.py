"""Every document still looks as it did when a person last looked at it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.golden.pictures import HERE, differing, grey, pages

PAGES = pages()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_page_is_the_one_that_was_looked_at(name: str) -> None:
    assert differing(PAGES[name], HERE / name) == 0, "python -m tests.golden.pictures, and look at it"


def test_no_picture_is_left_over() -> None:
    folders = {HERE / Path(name).parent for name in PAGES}
    kept = {str(path.relative_to(HERE)) for folder in folders for path in folder.iterdir()}
    assert kept == set(PAGES)


def test_a_changed_page_is_seen() -> None:
    name = sorted(PAGES)[0]
    page = grey(PAGES[name])
    ImageDraw.Draw(page).rectangle((200, 300, 204, 304), fill=120)
    out = io.BytesIO()
    page.save(out, "png")
    assert differing(out.getvalue(), HERE / name) > 0
    smaller = io.BytesIO()
    Image.new("L", (10, 10)).save(smaller, "png")
    assert differing(smaller.getvalue(), HERE / name) == -1
