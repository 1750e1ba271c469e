"""Prepares the notice each tier calls for, and holds it until the gate of every pair of its offender is clear.

Consumes: decisions, gates, offenders, its own commands.
Emits: notifications (prepared, held, released, served, failed, cancelled, corrected).
Stores: per offender the tier, the pairs with their gates, the notices, who lifted which hold, the described record.
"""
