"""What a letter may say, that nothing else can reach it, and that the same letter is the same bytes, tagged."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from schemas.classification import Tier
from schemas.notice_work import Correction
from schemas.notification import Channel, NotificationState
from schemas.person import Custody, OffenderDescribed
from schemas.topics import Topic
from services.common.settings import CommonSettings
from services.common.signoffs import NotSignedError, SignOffs
from services.common.templates import TemplateError
from services.notifier.app import build
from services.notifier.domain import Offender
from services.notifier.letters import Kind, Letter, LetterBook, LetterError, Meeting, kind_of, letter_of, load_letters
from services.notifier.letters.example import example as sample_letter
from services.notifier.letters.letter import AFTERWARDS
from services.notifier.letters.words import forbidden
from tests.harness.letters import SAMPLE_COUNTY, Read, county_copy, own_wording, shipped_wording
from tests.harness.notices import START, Bench, decision

BOOK = load_letters(SAMPLE_COUNTY)
ZONE = ZoneInfo("America/New_York")
EVERY = [(kind, language) for kind in Kind for language in ("en", "es")]


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_one_letter_of_each_template_is_the_same_bytes_twice_and_tagged(kind: Kind, language: str) -> None:
    letter = sample_letter(kind, language)
    made = BOOK.render(letter)
    assert made.content == load_letters(SAMPLE_COUNTY).render(letter).content
    read = Read.of(made.content)
    assert read.root["/MarkInfo"].get_object()["/Marked"].value is True
    assert read.root["/Lang"] == language
    assert read.root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert read.metadata["/Title"] == BOOK.template(kind, language).wording.title
    tags = read.tags()
    assert tags[0] == "/Document" and {"/P", "/Figure", "/L", "/LI"} <= set(tags)
    xmp = bytes(read.root["/Metadata"].get_object().get_data())
    assert b"pdfuaid:part" in xmp and b"pdfaid:part" in xmp
    assert len(read.reader.pages) == 1
    assert "Invented Person 11" in read.text


def test_a_pdf_says_no_other_time_than_its_date_and_no_name_in_its_metadata() -> None:
    made = BOOK.render(sample_letter(Kind.D))
    metadata = Read.of(made.content).metadata
    assert metadata["/CreationDate"] == "D:20260309000000Z"
    assert set(metadata) == {"/Title", "/Author", "/Creator", "/CreationDate", "/ModDate"}
    assert metadata["/ModDate"] == metadata["/CreationDate"]
    assert "Invented" not in str(metadata)


# The allow-list, by type ------------------------------------------------------------------------------------------


def leaves(kind: Any) -> set[Any]:
    if args := get_args(kind):
        return set().union(*(leaves(arg) for arg in args if arg is not Ellipsis and isinstance(arg, type | object)))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return set().union(*(leaves(field.annotation) for field in kind.model_fields.values()))
    return {kind}


def test_the_model_has_the_allow_list_and_nothing_else() -> None:
    assert set(Letter.model_fields) == {
        "kind", "tier", "language", "name", "dated", "statutes", "meeting", "served_on"
    }  # fmt: skip
    assert set(Meeting.model_fields) == {"on", "at", "place"}
    assert Letter.model_config["extra"] == "forbid"


@pytest.mark.parametrize("field", ["victim", "narrative", "incident_id", "pair_id", "complaint", "occurred_at"])
def test_another_field_is_refused_and_not_quoted(field: str) -> None:
    with pytest.raises(LetterError) as refused:
        Letter.of(**sample_letter(Kind.C).model_dump(), **{field: "Canary"})
    assert "Canary" not in str(refused.value) and field in str(refused.value)


def test_no_wording_can_name_more_than_the_allow_list(tmp_path: Path) -> None:
    for place in ("victim", "incident_id", "tier", "statutes", "officer", "served_on", "meeting_on"):
        county = county_copy(tmp_path / place)
        wording = shipped_wording("letters/c-en").replace("You have been", f"{{{place}}} You have been")
        own_wording(county, "letters/c-en", wording)
        with pytest.raises(Exception, match="is no value of these templates"):
            load_letters(county)


def test_what_victims_are_known_by_never_reaches_the_notifier() -> None:
    inputs = set(build(CommonSettings()).inputs)
    assert not inputs & {Topic.VICTIMS, Topic.INCIDENTS, Topic.REFERRALS, Topic.OUTREACH}


# ... by a canary in every other field, through the use cases -----------------------------------------------------


def planted(model: type[BaseModel], kept: set[str], base: BaseModel) -> dict[str, Any]:
    """The base record with a canary in every text field that is not `kept`."""
    given: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        now = getattr(base, name)
        if name not in kept and str in leaves(field.annotation) and (now is None or isinstance(now, str | list)):
            given[name] = [f"Canary-{name}"] if isinstance(now, list) else f"Canary-{name}"
    return given


@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize("custody", [False, True])
def test_nothing_else_of_a_decision_or_a_person_reaches_the_page(tier: Tier, custody: bool) -> None:
    notifier = build(CommonSettings())
    person = OffenderDescribed(offender_id="O-1", name="Invented Person 11", language="en")
    rest = planted(OffenderDescribed, {"name", "language", "offender_id", "custody"}, person)
    jail = Custody(booking_id="Canary-booking", facility="Canary-facility", booked_at=START if custody else None)
    person = OffenderDescribed(**person.model_dump() | rest | {"custody": jail})
    made = decision(1, tier, charged=tier is not Tier.D, statutes=["14-33(c)(2)"])
    kept = {"offender_id", "tier", "statutes", "change", "outreach", "policy", "agency"}
    more = planted(type(made), kept, made) | {"evidence": ["Canary-incident_id"], "charged": tier is not Tier.D}
    record = decision(1, tier, **more)
    assert "Canary" in record.model_dump_json() and "Canary" in person.model_dump_json()
    bench = Bench()
    state = notifier.decide(bench.offender, bench.input(person)).state
    state = notifier.decide(state, bench.input(record)).state
    assert isinstance(state, Offender)
    (notice,) = state.notices.values()
    if custody:
        notice = replace(notice, channel=Channel.CUSTODY_VISIT)
    letter = letter_of(state, notice, on=date(2026, 3, 9), zone=ZONE, meeting=sample_letter(Kind.CALL_IN).meeting)
    assert "anary" not in letter.model_dump_json()
    content = BOOK.render(letter).content
    assert "anary" not in Read.of(content).text and b"anary" not in content
    names_charges = tier is not Tier.D and letter.kind is not Kind.CALL_IN
    assert ("14-33(c)(2)" in Read.of(content).text) is names_charges


# ... and by what no wording says ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_no_wording_says_what_it_never_may(kind: Kind, language: str) -> None:
    texts = BOOK.template(kind, language).wording.texts()
    assert forbidden(texts, language, uncharged=kind is Kind.D) is None
    read = Read.of(BOOK.render(sample_letter(kind, language)).content).text
    assert forbidden([read], language, uncharged=kind is Kind.D) is None


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            "Victim victims complaint complained she HER him his wife boyfriend guilty incident reported caller witness 911",
        ),
        ("en", "911 statement testify advocate shelter accuser alleged again woman children offender"),
        (
            "es",
            "víctima victimas denuncia denunció queja ella él esposa marido novio culpable incidente llamó testigo hijos",
        ),
        ("es", "declaración refugio acusado señora agresor"),
    ],
)
def test_the_words_are_found(lang: str, words: str) -> None:
    for word in words.split():
        assert forbidden([f"One {word}."], lang) == word.lower()
    assert forbidden(["The here theme hermana shed charged"], lang) is None
    assert forbidden(["your partner"], "en") is None and forbidden(["your partner"], "en", uncharged=True) == "partner"


@pytest.mark.parametrize(
    ("file", "find", "put", "error"),
    [
        (
            "letters/c-en",
            "You have been charged",
            "A complaint was made. You have been charged",
            "letters/c-en: .*'complaint'",
        ),
        (
            "letters/d-es",
            "Esto no es un cargo",
            "Su pareja no sabe nada. Esto no es un cargo",
            "letters/d-es: .*'pareja'",
        ),
        ("letters.yaml", "Sample County Change Program", "Batterer Intervention", "letters/a-en: .*'batterer'"),
        ("letters.yaml", "Work, training, housing", "Help for your partner", "letters/d-en: .*'partner'"),
        ("letterhead.yaml", "agency: Sample County Police Department", "agency: Victim Unit", "'victim'"),
    ],
)
def test_a_county_cannot_write_what_a_letter_never_says(
    tmp_path: Path, file: str, find: str, put: str, error: str
) -> None:
    county = county_copy(tmp_path)
    if file.endswith(".yaml"):
        text = (county / file).read_text("utf-8")
        assert find in text
        (county / file).write_text(text.replace(find, put), "utf-8")
    else:
        own_wording(county, file, shipped_wording(file).replace(find, put))
    with pytest.raises(TemplateError, match=error):
        load_letters(county)


@pytest.mark.parametrize(("kind", "language"), [(k, x) for k, x in EVERY if k not in AFTERWARDS])
def test_every_wording_says_what_it_must(kind: Kind, language: str) -> None:
    text = " ".join(BOOK.template(kind, language).wording.texts())
    must = {
        "en": ("list", "tracked", "Help is available now", "alone"),
        "es": ("lista", "seguimiento", "Hay ayuda disponible ahora", "solo"),
    }
    for words in must[language]:
        assert words.lower() in text.lower(), words
    block = next(one for one in BOOK.template(kind, language).wording.blocks if one.fill == "help")
    assert block.when is None


@pytest.mark.parametrize(
    "story",
    [
        "Hit her in the face 2 times",
        "14-33 victim in kitchen",
        "Assault on Jane Doe",
        "Struck J. Doe at 12 Elm St",
        "14-33 " + "and then " * 10,
        "denunció 2 veces",
        "14-33(c)(2) Jane Doe",
        "14-33 J. DOE",
        "14-33(c)(2) at 12 Elm St",
        "14-33(jane)",
        "14-33 on 3/2/2026",
        "14-33 03-02-26",
        "14-33 2026-03-02",
        "14-33 12:30",
        "3/2",
        "14-33 555-0100",
        "14-33 336-555-0100",
        "14-33 26-001234",
        "14-33 J. D.",
        "14-33 Ann",
        "14-33 2026-1234",
        "14-33 2026",
        "14-33(c)(2) Ashley Street",
    ],
)
def test_a_story_in_the_field_of_a_statute_is_not_printed(story: str) -> None:
    with pytest.raises(LetterError, match=r"statutes\.0: is no citation of a statute"):
        sample_letter(Kind.C, statutes=(story,))
    bench = Bench()
    notifier = build(CommonSettings())
    state = notifier.decide(
        bench.offender, bench.input(OffenderDescribed(offender_id="O-1", name="Invented Person 11"))
    ).state
    state = notifier.decide(
        state, bench.input(decision(1, Tier.C, statutes=[story, "14-33(c)(2)", "14-33(c)(2)"]))
    ).state
    assert isinstance(state, Offender)
    (notice,) = state.notices.values()
    assert letter_of(state, notice, on=date(2026, 3, 9), zone=ZONE).statutes == ("14-33(c)(2)",)


@pytest.mark.parametrize(
    "statute",
    [
        "14-33(c)(2)",
        "N.C.G.S. 50B-4.1",
        "F.S. 784.03 Battery",
        "G.S. 14-33(c)(2) Assault on a female",
        "18 U.S.C. 922(g)",
        "720 ILCS 5/12-3.2",
        "M.G.L. c. 265 s. 13M",
        "IC 35-42-2-1.3",
        "Cal. Penal Code § 273.5(a)",
        "Tex. Penal Code 22.01",
        "N.C.G.S. 14-32.4(b) Assault by strangulation",
        "G.S. 50B-4.1(a): violation of a domestic violence protective order",
        "T.C.A. 39-13-111",
        "S.C. Code Ann. 16-25-20",
        "Ohio R.C. 2919.25(A)",
        "A.R.S. 13-1203, 13-3601",
        "Fla. Stat. §784.048(2)",
        "K.S.A. 21-5414",
        "N.J.S.A. 2C:12-1",
        "La. R.S. 14:35.3",
        "RCW 9A.36.041",
        "Cal. Penal Code 243(e)(1) battery on a spouse",
    ],
)
def test_a_citation_is_one(statute: str) -> None:
    assert sample_letter(Kind.C, statutes=(statute,)).statutes == (statute,)


# Any name is text ------------------------------------------------------------------------------------------------

LATIN = st.characters(min_codepoint=0x20, max_codepoint=0x17F, exclude_categories=["Cc", "Cf", "Zl", "Zp"])
NAMES = st.text(LATIN, min_size=1, max_size=60).filter(str.strip)


@settings(deadline=None, max_examples=40)
@given(name=NAMES)
@example(name='#eval("1 + 1")')
@example(name="*x* _y_ $z$ `c` <lab> @ref = - + / [a] {b}")
@example(name='\\"; }); "')
@example(name="{agency} {name} {{x}}")
@example(name="// no comment /* nor this */ https://example.org --- ... ~")
@example(name="O'Neil-Ñúñez, José “Pepe” Jr.")
@example(name="Nguyễn Thị Ánh")
@example(name="0" * 39 + "30")  # longer than a line may be without a place to break it
def test_any_name_prints_as_it_stands(name: str) -> None:
    letter = sample_letter(Kind.C, name=name)
    read = Read.of(BOOK.render(letter).content)
    assert "".join(letter.name.split()) in unicodedata.normalize("NFC", read.solid)
    assert letter.name == " ".join(unicodedata.normalize("NFC", name).split())


@settings(deadline=None, max_examples=40)
@given(name=st.text(min_size=1, max_size=40))
def test_any_text_at_all_is_set_or_refused_in_words_that_do_not_quote_it(name: str) -> None:
    try:
        BOOK.render(sample_letter(Kind.CUSTODY_VISIT, name=name))
    except LetterError as refused:
        assert str(refused).isascii()


@pytest.mark.parametrize(
    "name", ["", "   ", "a\u202eb", "a\x00b", "a\u200bb", "a" + "\u0316" * 9, "\ud800", "x " * 101, "日本"]
)
def test_what_cannot_be_printed_is_refused(name: str) -> None:
    with pytest.raises(LetterError) as refused:
        BOOK.render(sample_letter(Kind.C, name=name))
    assert str(refused.value).isascii()
    assert refused.value.__suppress_context__ and refused.value.__cause__ is None


def test_a_word_wider_than_the_page_is_broken() -> None:
    statutes = ("14-33(c)(2),14-277.1,14-134.3,14-32.4(b),50B-4.1,14-39,14-127", *(f"14-{n}" for n in range(30)))
    letter = sample_letter(Kind.A, name="x" * 200, statutes=statutes)
    read = Read.of(BOOK.render(letter).content)
    assert "x" * 200 in read.solid and statutes[0] in read.solid and "14-29" in read.text
    assert len(read.reader.pages) == 2
    widest = max(len(line) for line in read.text.splitlines())
    assert widest < 130


def test_line_ends_in_a_name_are_spaces() -> None:
    assert sample_letter(Kind.C, name=" Invented\r\n\tPerson ").name == "Invented Person"


# What fits together ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (Kind.D, {"statutes": ("14-33",)}),
        (Kind.D, {"tier": Tier.C}),
        (Kind.A, {"tier": Tier.B}),
        (Kind.CUSTODY_VISIT, {"tier": Tier.D}),
        (Kind.CORRECTION, {"statutes": ("14-33",)}),
        (Kind.CALL_IN, {"meeting": None}),
        (Kind.CORRECTION, {"served_on": None}),
        (Kind.WITHDRAWAL, {"served_on": None}),
        (Kind.WITHDRAWAL, {"statutes": ("14-33",)}),
        (Kind.C, {"served_on": date(2026, 1, 1)}),
    ],
)
def test_what_does_not_fit_its_kind_is_refused(kind: Kind, more: dict[str, Any]) -> None:
    with pytest.raises(LetterError):
        sample_letter(kind, **more)


def test_a_visit_to_a_person_on_the_d_list_names_no_charge() -> None:
    text = Read.of(BOOK.render(sample_letter(Kind.CUSTODY_VISIT, tier=Tier.D, statutes=())).content).text
    assert "charge" not in text and "no further notice" not in text


def test_only_the_a_list_hears_that_there_is_no_further_notice() -> None:
    for tier in (Tier.A, Tier.B, Tier.C):
        text = Read.of(BOOK.render(sample_letter(Kind.CUSTODY_VISIT, tier=tier)).content).text
        assert ("no further notice" in text) is (tier is Tier.A)


def test_an_unknown_language_is_written_in_english() -> None:
    made = BOOK.render(sample_letter(Kind.C, "fr"))
    assert (made.template, Read.of(made.content).root["/Lang"]) == ("letters/c-en", "en")


@pytest.mark.parametrize(("language", "word"), [("en", "withdrawn"), ("es", "retirado")])
def test_only_a_withdrawal_says_that_the_notice_is_withdrawn(language: str, word: str) -> None:
    withdrawn = Read.of(BOOK.render(sample_letter(Kind.WITHDRAWAL, language)).content).text
    corrected = Read.of(BOOK.render(sample_letter(Kind.CORRECTION, language)).content).text
    assert word in withdrawn and word not in corrected
    assert {"en": "does not withdraw it", "es": "No lo retira"}[language] in corrected


def test_which_template() -> None:
    bench = Bench()
    notifier = build(CommonSettings())
    file = notifier.decide(bench.offender, bench.input(decision(1, Tier.B))).state
    assert isinstance(file, Offender)
    (notice,) = file.notices.values()
    kinds = {channel: kind_of(replace(notice, channel=channel)) for channel in Channel}
    assert kinds[Channel.CUSTODY_VISIT] is Kind.CUSTODY_VISIT and kinds[Channel.CALL_IN] is Kind.CALL_IN
    assert {kinds[c] for c in (Channel.LETTER_IN_HAND, Channel.MAIL, Channel.FACE_TO_FACE, Channel.PHONE)} == {Kind.B}
    served = replace(notice, state=NotificationState.CORRECTED, served_at=datetime(2026, 3, 9, 2, tzinfo=UTC))
    assert kind_of(replace(served, correction=Correction.LETTER)) is Kind.CORRECTION
    assert kind_of(replace(served, correction=Correction.WITHDRAWAL)) is Kind.WITHDRAWAL
    with pytest.raises(LetterError, match="name: none is on record"):
        letter_of(file, served, on=date(2026, 3, 12), zone=ZONE)
    named = replace(file, described=OffenderDescribed(offender_id="O-1", name="Invented Person 11"))
    letter = letter_of(named, served, on=date(2026, 3, 12), zone=ZONE)
    assert (letter.served_on, letter.statutes) == (date(2026, 3, 8), ())


# Sign-off --------------------------------------------------------------------------------------------------------


def test_a_template_that_nobody_signed_is_refused(tmp_path: Path) -> None:
    county = county_copy(tmp_path)
    (county / "signoffs.yaml").unlink()
    with pytest.raises(NotSignedError, match=r"letters/c-en version 1 .* is unsigned: read it"):
        load_letters(county).render(sample_letter(Kind.C))


def test_a_template_changed_since_it_was_signed_is_refused(tmp_path: Path) -> None:
    county = county_copy(tmp_path)
    wording = shipped_wording("letters/c-en")
    own_wording(county, "letters/c-en", wording.replace("swiftly", "swiftly "))
    with pytest.raises(NotSignedError, match="is changed since it was signed"):
        load_letters(county).render(sample_letter(Kind.C))
    own_wording(county, "letters/c-en", wording.replace("\n", "\r\n"))
    assert load_letters(county).render(sample_letter(Kind.C)).version == "1"


def test_a_samples_sign_off_marks_every_page_and_a_real_one_none() -> None:
    assert "SAMPLE: NOT FOR USE" in Read.of(BOOK.render(sample_letter(Kind.C)).content).text
    real = signed_for_real(BOOK).render(sample_letter(Kind.C))
    assert "SAMPLE" not in Read.of(real.content).text
    assert real.signed_off is not None and not real.signed_off.sample
    draft = signed_for_real(BOOK).draft(sample_letter(Kind.C))
    assert "DRAFT" in Read.of(draft.content).text and draft.signed_off is None


def signed_for_real(book: LetterBook) -> LetterBook:
    real = tuple(one.model_copy(update={"sample": False, "by": "J. Doe"}) for one in book.signoffs.root)
    return replace(book, signoffs=SignOffs((*book.signoffs.root, *real)))
