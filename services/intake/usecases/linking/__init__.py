"""One person behind many records: what numbers link, what the model's scores link or ask, each in one transaction.

Whoever is linked is looked up first: every merge is between two who stand for themselves, and the one whose records came first
stays. So no merge can be of one who is merged, and none can cross another: the outbox lets one process take at a time.
"""

from services.intake.usecases.linking.groups import Group, Groups
from services.intake.usecases.linking.merging import event_of, merge, question, say_events
from services.intake.usecases.linking.numbers import link_numbers
from services.intake.usecases.linking.scores import score_new, train_model

__all__ = [
    "Group",
    "Groups",
    "event_of",
    "link_numbers",
    "merge",
    "question",
    "say_events",
    "score_new",
    "train_model",
]
