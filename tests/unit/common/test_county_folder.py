"""A county's folder, its wordings and signatures: what cannot be used is refused with file, place and mend, no value."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.common.county import CountyError, load_county, one_line, sample_county
from services.common.signoffs import NotSignedError, SignOff, SignOffs, State, add_signoff, read_signoffs
from services.common.templates import Filler, Template, TemplateError, Vocabulary, load_templates, read_template
from services.common.typesetting import Logo, Sheet, TypesettingError, pdf, written
from tests.harness.letters import Read, county_copy

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">%s</svg>'
VOCABULARY = Vocabulary(frozenset({"name"}), frozenset({"help"}), frozenset({"charged"}))
GOOD = 'version: "1"\ntitle: A title\nblocks:\n  - text: "Dear {name}"\n  - {fill: help, when: charged}\n'


def template(text: str = GOOD) -> Template:
    return read_template("letters", "c-en", text.encode(), VOCABULARY, "c-en.yaml")


def test_the_sample_county_can_be_used() -> None:
    county = load_county(sample_county())
    assert county.letterhead.lines()[0] == "Sample County Police Department"
    assert county.logo is not None and county.logo.suffix == ".svg"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (("agency: Sample County Police Department", ""), "letterhead.yaml: agency: Field required"),
        (("phone:", "fone:"), "letterhead.yaml: fone: Extra inputs are not permitted"),
        (("agency: Sample", "agency: [Sample"), r"letterhead.yaml: line \d+: not YAML"),
        (("phone: (555) 555-0100", "phone: x\nphone: Canary"), r"letterhead.yaml: line \d+: a key stands twice"),
        (("logo.svg", "../logo.svg"), "letterhead.yaml: logo: String should match"),
        (("logo.svg", "missing.svg"), "missing.svg: No such file"),
        (("agency: Sample County Police Department", "agency: [Canary]"), "agency: Input should be a valid string"),
        (("agency: Sample", 'agency: "Canary\\u202e'), "not YAML|has a character that cannot be printed"),
    ],
)
def test_a_letterhead_that_cannot_be_used_says_where(tmp_path: Path, change: tuple[str, str], error: str) -> None:
    folder = county_copy(tmp_path)
    path = folder / "letterhead.yaml"
    path.write_text(path.read_text("utf-8").replace(*change), "utf-8")
    with pytest.raises(CountyError, match=error) as refused:
        load_county(folder)
    assert "Canary" not in str(refused.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CountyError, match="IPVI_COUNTY names the folder"):
        load_county(tmp_path / "nowhere")
    with pytest.raises(CountyError, match=r"letterhead\.yaml: No such file"):
        load_county(tmp_path)


def test_a_logo_too_large_or_no_picture(tmp_path: Path) -> None:
    folder = county_copy(tmp_path)
    (folder / "logo.svg").write_bytes(b" " * (512 * 1024 + 1))
    with pytest.raises(CountyError, match="larger than 512 KiB"):
        load_county(folder)
    for picture in (b"<svg", SVG % b'<image href="/etc/passwd" width="9" height="9"/>', b"\xff\x00"):
        (folder / "logo.svg").write_bytes(picture)
        with pytest.raises(CountyError, match=r"logo\.svg: not a picture that can be printed"):
            load_county(folder)
    sheet = Sheet("en", "T", "A", ["A"], date(2026, 1, 1), [], "f", logo=Logo(b"no picture", ".png", "Seal"))
    with pytest.raises(TypesettingError, match="the logo cannot be read"):
        pdf(sheet)


@pytest.mark.parametrize(
    ("mode", "form"), [("RGB", "png"), ("RGBA", "png"), ("L", "png"), ("RGB", "jpg"), ("L", "jpg")]
)
def test_a_logo_of_each_kind_is_printed(tmp_path: Path, mode: str, form: str) -> None:
    folder = county_copy(tmp_path)
    path = folder / "letterhead.yaml"
    path.write_text(path.read_text("utf-8").replace("logo.svg", f"logo.{form}"), "utf-8")
    Image.effect_noise((200, 200), 60).convert(mode).save(folder / f"logo.{form}")
    county = load_county(folder)
    assert county.logo is not None
    sheet = Sheet("en", "T", "A", county.letterhead.lines(), date(2026, 1, 1), [], "f", logo=county.logo)
    assert "/Figure" in Read.of(pdf(sheet)).tags() and pdf(sheet) == pdf(sheet)


@given(st.text(max_size=80))
def test_one_line_is_one_line_and_stays_the_same(text: str) -> None:
    try:
        line = one_line(text)
    except ValueError:
        return
    assert one_line(line) == line and "\n" not in line and "\t" not in line and line.isprintable()


# Wordings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (GOOD.replace("{name}", "{nmae}"), r"\{nmae\} is no value of these templates: name"),
        (GOOD.replace("{name}", "{name"), "a brace that is no"),
        (GOOD.replace("{name}", "{{name}}"), "a brace that is no"),
        (GOOD.replace("{name}", "{Name}"), "a brace that is no"),
        (GOOD.replace("fill: help", "fill: victims"), "fill: victims is none of help"),
        (GOOD.replace("when: charged", "when: asked"), "when: asked is none of charged"),
        (GOOD.replace('version: "1"', "version: 1"), "version: Input should be a valid string"),
        (GOOD.replace('version: "1"', 'version: "draft"'), "version: String should match"),
        (GOOD.replace("title: A title\n", ""), "title: Field required"),
        (GOOD + "  - {text: x, say: y}\n", r"blocks.2: a block is one of"),
        (GOOD + "  - {when: charged}\n", r"blocks.2: a block is one of"),
        (GOOD + "  - {texte: x}\n", "Extra inputs|a block is one of"),
        (GOOD + "blocks: []\n", "a key stands twice"),
        ("- x", "whole: Input should be a valid"),
        ("\x00", "not YAML"),
    ],
)
def test_a_wording_that_cannot_be_used_says_why(text: str, error: str) -> None:
    with pytest.raises(TemplateError, match=error):
        template(text)


def test_a_value_is_put_in_once_and_as_text() -> None:
    put = Filler({"name": "{name} {help}"}, {"help": None}, frozenset({"charged"}))
    assert template().blocks(put) == [{"kind": "text", "text": "Dear {name} {help}"}]


def test_a_block_whose_condition_does_not_hold_is_left_out() -> None:
    shown = {"kind": "list", "items": []}
    assert len(template().blocks(Filler({"name": "x"}, {"help": shown}, frozenset()))) == 1
    assert len(template().blocks(Filler({"name": "x"}, {"help": shown}, frozenset({"charged"})))) == 2


def test_the_hash_is_of_what_is_read_not_of_line_ends() -> None:
    assert template(GOOD.replace("\n", "\r\n")).digest == template().digest
    assert template(GOOD.replace("Dear", "dear")).digest != template().digest


def test_a_misspelt_file_of_the_countys_own_is_not_passed_over(tmp_path: Path) -> None:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    for folder in (shipped, own):
        folder.mkdir()
    for lang in ("en", "es"):
        (shipped / f"c-{lang}.yaml").write_text(GOOD)
    assert set(load_templates("letters", {"c": VOCABULARY}, shipped, own)) == {"c-en", "c-es"}
    (own / "c-en.yaml").write_text(GOOD.replace("Dear", "To"))
    found = load_templates("letters", {"c": VOCABULARY}, shipped, own)
    assert (found["c-en"].own, found["c-es"].own) == (True, False)
    for name in ("c-en.yml", "C-en.yaml", "c_en.yaml", "notes.txt"):
        (own / name).write_text(GOOD)
        with pytest.raises(TemplateError, match="no template of this name; known: c-en, c-es"):
            load_templates("letters", {"c": VOCABULARY}, shipped, own)
        (own / name).unlink()


# Signatures ------------------------------------------------------------------------------------------------------


def signature(**more: object) -> SignOff:
    one = template()
    fields = {"template": one.key, "version": one.version, "sha256": one.digest, "by": "J. Doe", "role": "Counsel",
              "signed_on": date(2026, 1, 5)}  # fmt: skip
    return SignOff.model_validate(fields | more)


@pytest.mark.parametrize(
    ("signed", "state"),
    [
        ((), State.UNSIGNED),
        (({"template": "letters/d-en"},), State.UNSIGNED),
        (({"sha256": "0" * 64},), State.CHANGED),
        (({"version": "2"},), State.CHANGED),
        (({"sample": True},), State.SAMPLE),
        (({},), State.SIGNED),
        (({"sample": True}, {"sha256": "0" * 64}, {}), State.SIGNED),
    ],
)
def test_how_a_template_stands(signed: tuple[dict[str, object], ...], state: State) -> None:
    signoffs = SignOffs(tuple(signature(**one) for one in signed))
    assert signoffs.state(template()) is state
    if state in (State.SIGNED, State.SAMPLE):
        assert signoffs.require(template()).sample is (state is State.SAMPLE)
    else:
        with pytest.raises(NotSignedError, match=f"form {template().form}.* is {state}"):
            signoffs.require(template())


def test_a_signature_is_added_and_nothing_else_changes(tmp_path: Path) -> None:
    add_signoff(tmp_path, signature())
    assert read_signoffs(tmp_path).root == (signature(),)
    path = tmp_path / "signoffs.yaml"
    path.write_text("# Ours.\n" + path.read_text("utf-8").rstrip("\n"), "utf-8")
    other = signature(template="letters/d-en", by='Ann O\'Neil: "counsel" #1')
    add_signoff(tmp_path, other)
    assert read_signoffs(tmp_path).root == (signature(), other)
    assert path.read_text("utf-8").startswith("# Ours.\n- {template: letters/c-en")


@pytest.mark.parametrize("text", ["- {template: letters/c-en}", "x: y", "[]\n", "- [", "- {template: '../x'}"])
def test_a_file_of_signatures_that_is_broken_is_not_written_to(tmp_path: Path, text: str) -> None:
    path = tmp_path / "signoffs.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(CountyError):
        add_signoff(tmp_path, signature())
    assert path.read_text("utf-8") == text


# Pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "text"), [("en", "March 8, 2026"), ("es", "8 de marzo de 2026"), ("fr", "2026-03-08")]
)
def test_a_date_as_a_letter_has_it(lang: str, text: str) -> None:
    assert written(date(2026, 3, 8), lang) == text


def test_a_character_that_no_font_has_is_refused_without_being_quoted() -> None:
    sheet = Sheet("en", "T", "A", ["A"], date(2026, 1, 1), [{"kind": "text", "text": "Canary 日本"}], "f")
    with pytest.raises(TypesettingError, match="none of the fonts") as refused:
        pdf(sheet)
    assert "Canary" not in str(refused.value) and "日" not in str(refused.value)
    assert refused.value.__cause__ is None and refused.value.__suppress_context__


def test_the_machines_own_fonts_change_nothing() -> None:
    sheet = Sheet("en", "T", "A", ["A"], date(2026, 1, 1), [{"kind": "text", "text": "Ordinary words"}], "f")
    fonts = Read.of(pdf(sheet)).fonts()
    assert fonts and all("Libertinus" in font for font in fonts)


def test_a_panic_of_the_typesetter_is_an_error_of_ours_and_an_interrupt_stays_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class PanicException(BaseException):
        pass

    sheet = Sheet("en", "T", "A", ["A"], date(2026, 1, 1), [], "f")
    for raised, seen in ((PanicException("Canary"), TypesettingError), (KeyboardInterrupt(), KeyboardInterrupt)):

        def broken(*_: object, raised: BaseException = raised, **__: object) -> bytes:
            raise raised

        monkeypatch.setattr("services.common.typesetting.typst.compile", broken)
        with pytest.raises(seen) as failed:
            pdf(sheet)
        assert "Canary" not in str(failed.value)
