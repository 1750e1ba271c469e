"""Tables and queries of one partner's schema."""

from services.partners.store.lists import NoteLine, Standing, note_lines, offender_of_note, standing
from services.partners.store.states import PartnerStore
from services.partners.store.tables import metadata

__all__ = ["NoteLine", "PartnerStore", "Standing", "metadata", "note_lines", "offender_of_note", "standing"]
