"""`docs/letters.md` names every template, value, setting and outcome there is."""

from __future__ import annotations

import re

from schemas.generate import PROJECT
from services.common.messaging import DUTY_ALERT, MailSettings, NotSent
from services.common.templates import Block
from services.notifier import letters
from services.notifier.letters.book import VOCABULARY as LETTERS
from services.victim_outreach import texts
from services.victim_outreach.texts.book import VOCABULARY as TEXTS

PAGE = (PROJECT / "docs" / "letters.md").read_text("utf-8")
NAMED = set(re.findall(r"`([A-Za-z0-9_]+)`", PAGE))


def test_every_template_is_named() -> None:
    assert {kind.value for kind in (*letters.Kind, *texts.Kind)} <= NAMED


def test_the_table_is_what_a_wording_may_name() -> None:
    for name, vocabulary in (("letters", LETTERS), ("texts", TEXTS)):
        (row,) = re.findall(rf"^\| {name} \| (.*) \| (.*) \| (.*) \|$", PAGE, re.MULTILINE)
        told = [frozenset(re.findall(r"`([a-z_]+)`", cell)) for cell in row]
        assert told == [vocabulary.values, vocabulary.lists, vocabulary.conditions]


def test_every_kind_of_block_is_shown() -> None:
    assert set(Block.model_fields) <= set(re.findall(r"\b[a-z]+\b", PAGE.split("## Writing")[1].split("| set |")[0]))


def test_every_setting_and_outcome_of_messages_is_named() -> None:
    assert {f"IPVI_{name.upper()}" for name in MailSettings.model_fields} | {"IPVI_COUNTY"} <= set(
        re.findall(r"IPVI_[A-Z_]+", PAGE)
    )
    assert {code.value for code in NotSent} <= NAMED
    assert DUTY_ALERT in PAGE
