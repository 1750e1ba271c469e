"""What a partner may know, and what it has been told. Pure."""

from services.partners.domain.offender import Early, Note, Offender, Pair, Sent
from services.partners.domain.pseudonyms import Pseudonyms

__all__ = ["Early", "Note", "Offender", "Pair", "Pseudonyms", "Sent"]
