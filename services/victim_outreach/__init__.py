"""Turns each referral into tasks with clocks, and keeps the gate that every notice to the offender waits for.

Consumes: referrals, victims, offenders (custody), notifications, its own commands.
Emits: outreach (tasks opened, claimed, attempted, completed, overdue, cancelled), outreach gates (changes, heartbeats).
Stores: per offender the referrals, tasks, attempts, gates, holds, overrides, deliveries, custody, victims as described.
"""
