"""Letters to offenders: from an allow-list of fields and a signed wording to a tagged PDF whose bytes can be made again.

`Letter` is all that can reach a page; `LetterBook` holds a county's wordings, letterhead and sign-offs and sets them.
`letter_of` takes from the notifier's state what a letter may say; `service_packet` puts a service together for a court.
"""

from services.notifier.letters.book import LetterBook, Made, load_letters
from services.notifier.letters.letter import Kind, Letter, LetterError, Meeting
from services.notifier.letters.of_notice import kind_of, letter_of
from services.notifier.letters.packet import AuditLine, Service, audit_of, service_packet
from services.notifier.letters.wording import wordings

__all__ = [
    "AuditLine",
    "Kind",
    "Letter",
    "LetterBook",
    "LetterError",
    "Made",
    "Meeting",
    "Service",
    "audit_of",
    "kind_of",
    "letter_of",
    "load_letters",
    "service_packet",
    "wordings",
]
