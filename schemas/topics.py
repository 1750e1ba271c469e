"""The topics, by name. Who writes, reads and keeps what stands in `topics/*.yaml`, which tests hold against this list."""

from __future__ import annotations

from enum import StrEnum

from schemas.envelope import Classification


class Topic(StrEnum):
    """`ipvi.<classification>.<name>.v<major>`; keyed by offender, all with the same number of partitions."""

    INCIDENTS = "ipvi.restricted.incidents.v1"
    OFFENDERS = "ipvi.internal.offenders.v1"
    VICTIMS = "ipvi.restricted.victims.v1"
    DECISIONS = "ipvi.internal.decisions.v1"
    TIERS = "ipvi.shared.tiers.v1"
    REFERRALS = "ipvi.restricted.referrals.v1"
    NOTIFICATIONS = "ipvi.internal.notifications.v1"
    OUTREACH = "ipvi.restricted.outreach.v1"
    OUTREACH_GATES = "ipvi.internal.outreach-gates.v1"
    CLASSIFIER_COMMANDS = "ipvi.restricted.classifier-commands.v1"
    NOTIFIER_COMMANDS = "ipvi.internal.notifier-commands.v1"
    VICTIM_OUTREACH_COMMANDS = "ipvi.restricted.victim-outreach-commands.v1"
    INTAKE_REJECTS = "ipvi.restricted.intake-rejects.v1"
    CLASSIFIER_REJECTS = "ipvi.restricted.classifier-rejects.v1"
    NOTIFIER_REJECTS = "ipvi.internal.notifier-rejects.v1"
    VICTIM_OUTREACH_REJECTS = "ipvi.restricted.victim-outreach-rejects.v1"

    @property
    def classification(self) -> Classification:
        return Classification(self.value.split(".")[1])

    @property
    def is_commands(self) -> bool:
        return self.value.split(".")[2].endswith("-commands")

    @property
    def is_compacted(self) -> bool:
        return self in (Topic.OFFENDERS, Topic.VICTIMS, Topic.TIERS)
