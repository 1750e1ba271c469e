"""Walks each offender's history under the county's policy: his tier, why, and a referral for every partner.

Consumes: incidents, notifications (what was served), its own commands.
Emits: decisions, referrals, current tiers, and `adopt` commands to its other lanes.
Stores: per offender the reports that stand, what was taken back, what has been said of him, and open reviews.
"""
