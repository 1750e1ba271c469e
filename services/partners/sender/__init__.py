"""Deliveries that do not go by topic: each partner's own, from the tables, after the commit."""

from services.partners.sender.batches import BatchSender
from services.partners.sender.reaching import NotReachableError, address_of, may_reach
from services.partners.sender.secrets import SecretsError, read_secrets
from services.partners.sender.webhook import WebhookSender, signed, structured, verified_by

__all__ = [
    "BatchSender",
    "NotReachableError",
    "SecretsError",
    "WebhookSender",
    "address_of",
    "may_reach",
    "read_secrets",
    "signed",
    "structured",
    "verified_by",
]
