"""How a notice is given."""

from __future__ import annotations

import pytest

from schemas.classification import Tier
from schemas.notification import Channel
from services.notifier.rules import NoticePolicy

EVERY = NoticePolicy(dict.fromkeys(Tier, tuple(Channel)))
HOME = {Channel.MAIL, Channel.PHONE, Channel.CALL_IN}


@pytest.mark.parametrize("tier", list(Tier))
def test_in_custody_it_is_given_at_the_jail(tier: Tier) -> None:
    assert EVERY.channel(tier, in_custody=True, unannounced=False) is Channel.CUSTODY_VISIT
    assert EVERY.channel(tier, in_custody=False, unannounced=False) is not Channel.CUSTODY_VISIT


@pytest.mark.parametrize("first", list(Channel))
@pytest.mark.parametrize(("tier", "unannounced"), [(Tier.D, False), (Tier.D, True), (Tier.C, True), (Tier.B, True)])
def test_d_and_unannounced_never_come_by_mail_or_phone(first: Channel, tier: Tier, unannounced: bool) -> None:
    policy = NoticePolicy({tier: (first,)})
    for in_custody in (True, False):
        assert policy.channel(tier, in_custody=in_custody, unannounced=unannounced) not in HOME


def test_the_preferred_channel_comes_first() -> None:
    policy = NoticePolicy({Tier.C: (Channel.CUSTODY_VISIT, Channel.FACE_TO_FACE, Channel.MAIL)})
    assert policy.channel(Tier.C, in_custody=False, unannounced=False) is Channel.FACE_TO_FACE


def test_a_tier_the_policy_does_not_name_calls_for_nothing() -> None:
    policy = NoticePolicy({Tier.C: (Channel.MAIL,)})
    assert [policy.calls_for(tier) for tier in (Tier.C, Tier.D, None)] == [True, False, False]
