"""Cases as they are shown to whoever may see them."""

from services.victim_outreach.store.cases.reach import Sight
from services.victim_outreach.store.cases.reading import case_list, case_of, consent_at, shown_case
from services.victim_outreach.store.cases.shapes import Case, CaseLine

__all__ = ["Case", "CaseLine", "Sight", "case_list", "case_of", "consent_at", "shown_case"]
