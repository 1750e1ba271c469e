"""Texts for her: never him, a list or an event; what others may see tells nothing; the page says what is discoverable."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example as e_g
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.outreach import TaskOwner
from services.common.county import CountyError
from services.common.errors import ConfigurationError
from services.common.settings import CommonSettings
from services.common.signoffs import NotSignedError
from services.common.templates import TemplateError
from services.victim_outreach.app import companions, papers
from services.victim_outreach.sender import CountyTexts
from services.victim_outreach.texts import Kind, TextError, VictimText, load_texts, mailing_address, telling_sender
from services.victim_outreach.texts.example import example as sample_text
from services.victim_outreach.texts.neutral import PREVIEW, septets, telling
from tests.harness.letters import SAMPLE_COUNTY, Read, county_copy, own_wording, shipped_wording

BOOK = load_texts(SAMPLE_COUNTY)
EVERY = [(kind, language) for kind in Kind for language in ("en", "es")]


def text_for(kind: Kind = Kind.INFORMATION, language: str = "en", **more: Any) -> VictimText:
    return sample_text(kind, language, **({"to": None, "address": ()} | more))


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_each_text_is_the_same_bytes_twice_and_tagged(kind: Kind, language: str) -> None:
    text = text_for(kind, language, to="Invented Person 12", address=("P.O. Box 7", "Raleigh, NC 00000"))
    content = BOOK.pdf(text)
    assert content == load_texts(SAMPLE_COUNTY).pdf(text)
    read = Read.of(content)
    assert read.root["/MarkInfo"]["/Marked"].value is True and read.root["/Lang"] == language
    assert read.tags()[0] == "/Document"
    assert len(read.reader.pages) == 1
    assert "Invented" not in str(read.metadata) and read.metadata["/Author"] == "Sample County Services"


def test_the_model_has_no_place_for_him_or_for_what_happened() -> None:
    assert set(VictimText.model_fields) == {"kind", "owner", "dated", "language", "to", "address"}
    for field in ("offender", "tier", "incident_id", "pair_id", "occurred_at"):
        with pytest.raises(TextError) as refused:
            VictimText.of(**text_for().model_dump(), **{field: "Canary"})
        assert "Canary" not in str(refused.value)


NEVER = {
    "en": r"he|him|his|himself|she|her|hers|husband|wife|boyfriend|girlfriend|your partner|offender|suspect|abuser|perpetrator"
    r"|tier|[abcd]-list|incident|the defendant|the accused|your report|your complaint",
    "es": r"él|ella|ellos|ellas|marido|esposo|esposa|novio|novia|su pareja|agresor|agresora|sospechoso|acusado"
    r"|detenido|incidente|su denuncia|la víctima|señora?|bienvenid[oa]",
}


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_no_wording_names_him_a_list_or_an_event(kind: Kind, language: str) -> None:
    found = " ".join(BOOK.template(kind, language).wording.texts())
    assert re.findall(rf"(?i)\b(?:{NEVER[language]})\b", found) == []


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_what_others_may_see_tells_nothing(kind: Kind, language: str) -> None:
    sms, mail = BOOK.sms(kind, language), BOOK.email(text_for(kind, language, to="Canary", address=("Canary",)))
    assert telling(sms.text) is None and telling(mail.subject) is None
    length = septets(sms.text)
    assert length is not None and length <= 160
    shown = mail.text.split("\n", 2)[2]  # under the sample's mark
    assert telling(shown[:PREVIEW]) is None and len(shown.split("\n")[0]) >= PREVIEW
    assert "Canary" not in mail.text + mail.subject + sms.text
    assert sms.template == f"texts/{kind}-{language}" and len(sms.template_sha256) == 64


def test_an_sms_is_the_same_for_everybody() -> None:
    assert BOOK.sms(Kind.RIGHTS, "en") != BOOK.sms(Kind.RIGHTS, "es")
    assert BOOK.sms(Kind.RIGHTS, "fr") == BOOK.sms(Kind.RIGHTS, "en")


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("owner", list(TaskOwner))
def test_the_page_says_whether_it_is_confidential(kind: Kind, language: str, owner: TaskOwner) -> None:
    text = text_for(kind, language, owner=owner)
    for words in (Read.of(BOOK.pdf(text)).text, BOOK.email(text).text):
        said = "".join(words.split())
        told = {
            "en": ("shown to a court", "tells nobody"),
            "es": ("mostrarse a un tribunal", "no se lo cuenta a nadie"),
        }
        shown, kept = ("".join(part.split()) in said for part in told[language])
        assert (shown, kept) == ((False, True) if owner is TaskOwner.COMMUNITY_ADVOCATE else (True, False))


@pytest.mark.parametrize(
    ("owner", "phone"), [("agency", "0151"), ("system_advocate", "0152"), ("community_advocate", "0153")]
)
def test_she_is_given_the_number_of_who_holds_the_task(owner: str, phone: str) -> None:
    assert f"(555) 555-{phone}" in Read.of(BOOK.pdf(text_for(Kind.RIGHTS, owner=owner))).text


def test_the_written_information_has_what_the_law_lists() -> None:
    words = Read.of(BOOK.pdf(text_for())).text
    for must in ("15A-831", "72 hours", "six months", "doctor", "Compensation", "District Attorney", "Notification"):
        assert must in words


# Where paper goes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("substitute", ["P.O. Box 9\nRaleigh, NC 00000", " P.O. Box 9 \r\n\n Raleigh, NC 00000 "])
def test_the_substitute_address_wins(substitute: str) -> None:
    address = mailing_address(["12 Canary Lane", "Sampleton"], substitute)
    assert address == ("P.O. Box 9", "Raleigh, NC 00000")
    content = BOOK.pdf(text_for(to="Invented Person 12", address=address))
    assert "Canary" not in Read.of(content).text and "P.O. Box 9" in Read.of(content).text


@pytest.mark.parametrize("substitute", [None, "", "  \n "])
def test_without_one_the_address_given_stands(substitute: str | None) -> None:
    assert mailing_address(["12 Elm St ", "", "Sampleton"], substitute) == ("12 Elm St", "Sampleton")


@settings(deadline=None, max_examples=25)
@given(
    name=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x17F, exclude_categories=["Cc", "Cf"]), min_size=1)
)
@e_g(name='#eval("1+1") *x* {office}')
def test_any_name_is_text(name: str) -> None:
    try:
        text = text_for(to=name[:60])
    except TextError as refused:
        assert str(refused).isascii()
        return
    assert "".join((text.to or "").split()) in Read.of(BOOK.pdf(text)).solid


# Wordings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("find", "put", "error"),
    [
        ("some papers", "your safety plan", "sms: 'safety' tells"),
        ("A note from {office}", "Victim rights", "email.subject: 'victim' tells"),
        (
            "Some papers are ready for you, and",
            "The court papers are ready for you, and",
            "email.opening: 'court' tells",
        ),
        ("some papers are ready", "the papers “are” ready", "outside the GSM 7-bit alphabet"),
        ("some papers are ready", "some papers " + "and " * 20 + "are ready", "characters, of at most 160"),
        (
            "and we are glad to go through them with you. Call {phone} when it suits you, {hours}. There",
            "there",
            "write at least",
        ),
        ("{hours}. No need", "{victim}. No need", "is no value of these templates"),
    ],
)
def test_a_countys_wording_that_would_tell_is_refused(tmp_path: Path, find: str, put: str, error: str) -> None:
    county = county_copy(tmp_path)
    wording = shipped_wording("texts/information-en")
    assert find in wording
    own_wording(county, "texts/information-en", wording.replace(find, put))
    with pytest.raises(TemplateError, match=error):
        load_texts(county)


def test_a_countys_office_that_would_tell_is_refused(tmp_path: Path) -> None:
    county = county_copy(tmp_path)
    data = (
        (county / "texts.yaml")
        .read_text("utf-8")
        .replace("name: Sample County Services", "name: Domestic Violence Unit")
    )
    (county / "texts.yaml").write_text(data, "utf-8")
    with pytest.raises(TemplateError, match="'domestic' tells"):
        load_texts(county)


def test_a_wording_without_sms_or_mail_is_refused(tmp_path: Path) -> None:
    county = county_copy(tmp_path)
    own_wording(county, "texts/rights-en", 'version: "2"\ntitle: Rights\nblocks:\n  - text: "x"\n')
    with pytest.raises(TemplateError, match="give both sms and email"):
        load_texts(county)


def test_nothing_is_sent_or_printed_unsigned(tmp_path: Path) -> None:
    county = county_copy(tmp_path)
    (county / "signoffs.yaml").unlink()
    book = load_texts(county)
    for use in (lambda: book.pdf(text_for()), lambda: book.sms(Kind.RIGHTS, "en"), lambda: book.email(text_for())):
        with pytest.raises(NotSignedError, match="is unsigned"):
            use()
    assert "DRAFT: NOT SIGNED OFF" in Read.of(book.draft(text_for())).text


@pytest.mark.parametrize(
    ("sender", "word"),
    [
        ("County Office <office@example.gov>", None),
        ("Sample County Services <services@sample-county.example.gov>", None),
        ("Office <office@samplecountypolice.gov>", "police"),
        ("Safe Families <office@example.org>", "safe"),
        ("Office <victimservices@example.gov>", "victim"),
        ("Oficina <ayuda@example.org>", "ayuda"),
    ],
)
def test_a_sender_that_would_tell_stops_the_start(
    sender: str, word: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert telling_sender(sender) == word
    monkeypatch.setenv("IPVI_MAIL_FROM", sender)
    if word is None:
        assert companions(CommonSettings())
    else:
        with pytest.raises(ConfigurationError, match=f"IPVI_MAIL_FROM: '{word}' tells"):
            companions(CommonSettings())


def test_under_a_samples_signature_nothing_leaves_over_a_real_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def words() -> CountyTexts:
        run, *_ = companions(CommonSettings(county=SAMPLE_COUNTY))
        texts = run.__self__.texts  # type: ignore[attr-defined]
        assert isinstance(texts, CountyTexts)
        return texts

    assert words().book.sms(Kind.RIGHTS, "en").text.startswith("TEST ")
    monkeypatch.setenv("IPVI_SMTP_URL", "smtps://mail.example.gov")
    with pytest.raises(NotSignedError):
        words().book.sms(Kind.RIGHTS, "en")
    with pytest.raises(NotSignedError):
        words().book.email(text_for())


def test_a_county_may_have_letters_alone_but_not_be_misspelt(tmp_path: Path) -> None:
    county = county_copy(tmp_path)
    (county / "texts.yaml").unlink()
    assert papers(CommonSettings(county=county)) is None and papers(CommonSettings()) is None
    with pytest.raises(CountyError, match="no such folder"):
        papers(CommonSettings(county=tmp_path / "nowhere"))


def test_septets() -> None:
    assert (septets("ñ¿é"), septets("€["), septets("á"), septets("“"), septets("")) == (3, 4, None, None, 0)
