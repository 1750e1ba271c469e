"""The topics, by name, and what `topics/*.yaml` say of each: who writes and reads it, what it carries and how long."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from schemas.envelope import Classification

FOLDER = Path(__file__).with_name("topics")
DAY_MS = 24 * 60 * 60 * 1000
KEPT_DAYS = 14
"""Kafka is no archive: an expunged person's last copy must have ended by a known date."""
SEGMENT_DAYS = 1
"""Retention and compaction leave the open segment alone: at most this much more than promised."""


class Topic(StrEnum):
    """`ipvi.<classification>.<name>.v<major>`; keyed by offender, all with the same number of partitions."""

    INCIDENTS = "ipvi.restricted.incidents.v1"
    OFFENDERS = "ipvi.internal.offenders.v1"
    VICTIMS = "ipvi.restricted.victims.v1"
    DECISIONS = "ipvi.internal.decisions.v1"
    TIERS = "ipvi.shared.tiers.v1"
    REFERRALS = "ipvi.restricted.referrals.v1"
    NOTIFICATIONS = "ipvi.internal.notifications.v1"
    NOTICE_WORK = "ipvi.internal.notice-work.v1"
    ENFORCEMENT = "ipvi.internal.enforcement.v1"
    CALL_INS = "ipvi.internal.call-ins.v1"
    DUTY_ALERTS = "ipvi.internal.duty-alerts.v1"
    OUTREACH = "ipvi.restricted.outreach.v1"
    OUTREACH_GATES = "ipvi.internal.outreach-gates.v1"
    CLASSIFIER_COMMANDS = "ipvi.restricted.classifier-commands.v1"
    NOTIFIER_COMMANDS = "ipvi.internal.notifier-commands.v1"
    VICTIM_OUTREACH_COMMANDS = "ipvi.restricted.victim-outreach-commands.v1"
    PARTNERS_COMMANDS = "ipvi.internal.partners-commands.v1"
    INTAKE_REJECTS = "ipvi.restricted.intake-rejects.v1"
    CLASSIFIER_REJECTS = "ipvi.restricted.classifier-rejects.v1"
    NOTIFIER_REJECTS = "ipvi.internal.notifier-rejects.v1"
    VICTIM_OUTREACH_REJECTS = "ipvi.restricted.victim-outreach-rejects.v1"
    PARTNERS_REJECTS = "ipvi.internal.partners-rejects.v1"

    @property
    def classification(self) -> Classification:
        return Classification(self.value.split(".")[1])

    @property
    def short_name(self) -> str:
        """The third part of the name, which is also that of its YAML file."""
        return self.value.split(".")[2]

    @property
    def is_commands(self) -> bool:
        return self.short_name.endswith("-commands")

    @property
    def is_rejects(self) -> bool:
        return self.short_name.endswith("-rejects")

    @property
    def is_compacted(self) -> bool:
        return self in (Topic.OFFENDERS, Topic.VICTIMS, Topic.TIERS)


class TopicSpec(BaseModel):
    """One `topics/*.yaml`. An unknown or missing field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topic: Topic
    description: str
    key: str
    producers: Annotated[list[str], Field(min_length=1)]
    consumers: list[str]
    """Services of this system; partners read by ACL or by forwarded copy."""
    cleanup_policy: Literal["delete", "compact"]
    retention_days: int | None = None
    """Of deleted topics; compacted ones keep the last record of a key until its tombstone."""
    max_message_bytes: int
    types: list[str]
    """Event types it may carry; none on reject topics, whose values are what others wrote."""

    @property
    def configs(self) -> dict[str, str]:
        """Kafka's settings of the topic, without those that depend on the cluster's size."""
        return {
            "cleanup.policy": self.cleanup_policy,
            "max.message.bytes": str(self.max_message_bytes),
            # "Now" in a lane is the broker's time, not a writer's.
            "message.timestamp.type": "LogAppendTime",
            "segment.ms": str(SEGMENT_DAYS * DAY_MS),
            **self._keeping(),
        }

    def _keeping(self) -> dict[str, str]:
        if self.cleanup_policy == "delete":
            return {"retention.ms": str((self.retention_days or KEPT_DAYS) * DAY_MS)}
        # Old versions end within the promise; a tombstone outlasts a reader that was down for as long.
        return {"max.compaction.lag.ms": str(KEPT_DAYS * DAY_MS), "delete.retention.ms": str(KEPT_DAYS * DAY_MS)}


def partner_topic_configs() -> dict[str, str]:
    """Kafka's settings of a partner's own topic: kept as everything that speaks of a person."""
    return {
        "cleanup.policy": "delete",
        "max.message.bytes": str(2**20),
        "message.timestamp.type": "LogAppendTime",
        "segment.ms": str(SEGMENT_DAYS * DAY_MS),
        "retention.ms": str(KEPT_DAYS * DAY_MS),
    }


@cache
def spec(topic: Topic) -> TopicSpec:
    """What the YAML of `topic` says.

    Raises:
        FileNotFoundError, pydantic.ValidationError: the contract itself is broken; tests hold both lists together.
    """
    return TopicSpec.model_validate(yaml.safe_load((FOLDER / f"{topic.short_name}.yaml").read_text("utf-8")))


def allowed(topic: Topic, event_type: str) -> bool:
    """Whether `event_type` may appear on `topic`; what may not is a reject (`not_on_this_topic`)."""
    return event_type in _types(topic)


@cache
def _types(topic: Topic) -> frozenset[str]:
    return frozenset(spec(topic).types)
