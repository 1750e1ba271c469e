"""Tables and queries of one partner's schema."""

from services.partners.store.lists import Counts, NoteLine, counts, note_lines, offender_of_note
from services.partners.store.states import PartnerStore
from services.partners.store.tables import metadata

__all__ = ["Counts", "NoteLine", "PartnerStore", "counts", "metadata", "note_lines", "offender_of_note"]
