"""How a notice is given, and how many at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas.classification import Tier
from schemas.notification import Channel
from schemas.policy_file import load_policy
from services.notifier.rules import NoticePolicy, notice_policy
from tests.harness.notices import POLICY

HOME = {Channel.MAIL, Channel.PHONE, Channel.CALL_IN}


def policy(**channels: tuple[Channel, ...]) -> NoticePolicy:
    return replace(POLICY, channels={Tier(tier): given for tier, given in channels.items()})


@pytest.mark.parametrize("tier", list(Tier))
def test_in_custody_it_is_given_at_the_jail(tier: Tier) -> None:
    for channels in (tuple(Channel), (Channel.LETTER_IN_HAND,)):
        one = policy(**{tier: channels})
        assert one.channel(tier, in_custody=True, unannounced=True) is Channel.CUSTODY_VISIT
        assert one.channel(tier, in_custody=False, unannounced=False) is not Channel.CUSTODY_VISIT


@pytest.mark.parametrize("first", list(Channel))
@pytest.mark.parametrize(("tier", "unannounced"), [(Tier.D, False), (Tier.D, True), (Tier.C, True), (Tier.B, True)])
def test_d_and_unannounced_never_come_by_mail_or_phone(first: Channel, tier: Tier, unannounced: bool) -> None:
    for in_custody in (True, False):
        one = policy(**{tier: (first,)})
        assert one.channel(tier, in_custody=in_custody, unannounced=unannounced) not in HOME


def test_the_preferred_channel_comes_first() -> None:
    two = policy(C=(Channel.CUSTODY_VISIT, Channel.FACE_TO_FACE, Channel.MAIL))
    assert two.channel(Tier.C, in_custody=False, unannounced=False) is Channel.FACE_TO_FACE


def test_a_tier_the_policy_does_not_name_calls_for_nothing() -> None:
    only = policy(C=(Channel.MAIL,))
    assert [only.calls_for(tier) for tier in (Tier.C, Tier.D, None)] == [True, False, False]


@pytest.mark.parametrize("name", ["high-point-practice", "high-point-seed"])
def test_the_shipped_policies_give_every_list_its_notice(name: str) -> None:
    county = load_policy(name)
    shipped = notice_policy(county, lanes=24)
    assert all(shipped.calls_for(tier) for tier in Tier)
    assert HOME.isdisjoint(shipped.channels[Tier.D])


def test_each_lane_has_its_share_of_the_releases_and_a_least_one() -> None:
    county = load_policy("high-point-practice")
    for limit, lanes, share in [(100, 24, 5), (96, 24, 4), (10, 24, 3), (10, 1, 10)]:
        assert notice_policy(county.model_copy(update={"releases_per_hour": limit}), lanes).releases_per_hour == share
