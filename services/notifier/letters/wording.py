"""Which template a notice is made from, as the notifier's decisions see it."""

from __future__ import annotations

from collections.abc import Callable

from services.notifier.domain import Notice, Wording
from services.notifier.letters.book import LetterBook
from services.notifier.letters.of_notice import kind_of


def wordings(book: LetterBook) -> Callable[[Notice], Wording]:
    """A county's. Pure: its files were read when the book was."""

    def of(notice: Notice) -> Wording:
        template = book.template(kind_of(notice), notice.language)
        return Wording(f"{template.key}@{template.version}", template.digest, book.signoffs.of(template) is not None)

    return of
