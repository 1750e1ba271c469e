"""Merges and splits: one lane closes its part and hands it over, event by event, to the lane of the other.

No state crosses lanes but as `adopt` commands. What comes late for a history, or an incident, that has gone follows it.
The first and the last of a hand-over carry the merge or split itself: the receiver is told even where there is nothing to
hand over, and an expunction in between (which empties a command still unpublished) cannot keep it open. They name no
incident.
"""

from services.classifier.usecases.identity.giving import Handed, merged, split, taken
from services.classifier.usecases.identity.taking import adopted, is_at_home

__all__ = ["Handed", "adopted", "is_at_home", "merged", "split", "taken"]
