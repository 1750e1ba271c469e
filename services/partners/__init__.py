"""Sends each partner the copies its file allows, redacted and under its own ids, and takes back what no longer stands.

Consumes: decisions, tiers, notifications, its own commands; one consumer group a partner.
Emits: `ipvi.partner.*` on the partner's own topic. Stores, a partner: per offender the pairs it may know of, which event was
sent about which pair, what was taken back and whether that is confirmed.
"""
