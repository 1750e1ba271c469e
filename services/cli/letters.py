"""`ipvi letters`: a county tries its letterhead and wordings, sees which may be used, and signs them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.common.county import CountyError, sample_county
from services.common.errors import ConfigurationError, IpviError
from services.common.signoffs import SignOff, SignOffs, State, add_signoff, read_signoffs
from services.common.templates import Template
from services.notifier import letters
from services.notifier.letters.example import example as letter_example
from services.victim_outreach import texts
from services.victim_outreach.texts.example import example as text_example

USABLE, NOT_USABLE = 0, 1
PPI = 100
"""Of pictures, pixels an inch."""

CountyOption = Annotated[
    Path | None,
    typer.Option("--county", envvar="IPVI_COUNTY", help="The county's folder. Not given: the bundled sample county's."),
]
KeysArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Templates, as letters/c-en or texts/rights-es. None: all.", show_default=False),
]

app = typer.Typer(help="Letters to offenders and texts for victims: try, check and sign them.", no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class Document:
    """One template with an example of it: its PDF, its pages as pictures, its messages, all marked as drafts."""

    template: Template
    pdf: Callable[[], bytes]
    pictures: Callable[[], list[bytes]]
    messages: Callable[[], str] | None = None


def documents(folder: Path, wanted: Collection[str] = ()) -> list[Document]:
    """The documents of those sets that are `wanted`, else of those whose data the folder has. Raises `CountyError`."""
    sets = {"letters": _letters, "texts": _texts}
    chosen = [name for name in sets if (name in wanted if wanted else (folder / f"{name}.yaml").is_file())]
    if not chosen and not wanted:
        raise CountyError(f"{folder}: neither letters.yaml nor texts.yaml is there")
    return [document for name in chosen for document in sets[name](folder)]


@app.command("check")
def check_command(
    county: CountyOption = None,
    sample: Annotated[bool, typer.Option("--sample", help="A sample's sign-off is enough.")] = False,
) -> None:
    """Read a county's folder as the services do, set every document, and say of each template how it stands.

    Exit codes: 0 every template is signed, 1 some are not, 2 the folder cannot be used (one line says what to mend).

    Examples:

        ipvi letters check --county policies/our-county
    """
    folder = county or sample_county()
    signoffs = read_signoffs(folder)
    good = True
    for document in documents(folder):
        state = signoffs.state(document.template)
        good &= state is State.SIGNED or (sample and state is State.SAMPLE)
        pages = len(document.pictures())
        typer.echo(_line(document.template, signoffs) + (f"; runs over {pages} pages" if pages > 1 else ""))
    raise typer.Exit(USABLE if good else NOT_USABLE)


@app.command("render")
def render_command(
    keys: KeysArgument = None,
    county: CountyOption = None,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("letters-draft"),
    png: Annotated[bool, typer.Option("--png", help="Pictures too, 100 pixels an inch.")] = False,
) -> None:
    """Write documents about nobody, marked as drafts, with the county's letterhead, data and wordings.

    A text for victims also gives a .txt with its SMS and its mail. The number at the foot of a page is what
    `ipvi letters sign` asks for. A letter to a person comes from the notifier alone, when it is released.

    Examples:

        ipvi letters render letters/c-en texts/rights-es --county policies/our-county --out /tmp/look
    """
    for document in _chosen(county or sample_county(), keys or ()):
        path = out / document.template.key
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path.with_suffix(".pdf"), document.pdf())
        for number, page in enumerate(document.pictures() if png else (), start=1):
            _write(path.with_name(f"{path.name}-{number}.png"), page)
        if document.messages is not None:
            _write(path.with_suffix(".txt"), document.messages().encode("utf-8"))


@app.command("sign")
def sign_command(
    key: Annotated[str, typer.Argument(help="The template, as letters/c-en.")],
    form: Annotated[str, typer.Option(help="The number at the foot of the draft that was read.")],
    by: Annotated[str, typer.Option(help="Who signs.")],
    role: Annotated[str, typer.Option(help="In which office.")],
    county: CountyOption = None,
    signed_on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day. Not given: today.")] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="For a demonstration: what is made is marked on every page.")
    ] = False,
) -> None:
    """Sign a template off: from now on the county's services may use it, until one character of it changes.

    Adds a line to the county's signoffs.yaml. The form number says that what is signed is what was read.

    Examples:

        ipvi letters sign letters/c-en --form 3f2a91c7d0 --by "J. Doe" --role "County attorney" --county policies/our-county
    """
    if county is None:
        raise ConfigurationError("name the county's folder: --county, or IPVI_COUNTY")
    (document,) = _chosen(county, [key])
    template = document.template
    if form.strip().lower() != template.form:
        raise ConfigurationError(f"{key}: form {form} is not what stands there now ({template.form}); read it again")
    try:
        signed = SignOff(
            template=template.key,
            version=template.version,
            sha256=template.digest,
            by=by,
            role=role,
            signed_on=signed_on.date() if signed_on else _today(),
            sample=sample,
        )
    except ValueError:
        raise ConfigurationError("by, role: write a name and an office, each one line") from None
    add_signoff(county, signed)
    typer.echo(_line(template, read_signoffs(county)))


def _letters(folder: Path) -> Iterator[Document]:
    book = letters.load_letters(folder)
    for template in book.templates.values():
        yield _letter(book, template)


def _letter(book: letters.LetterBook, template: Template) -> Document:
    one = letter_example(letters.Kind(template.kind), template.lang)
    return Document(template, lambda: book.draft(one).content, lambda: book.look(one, PPI, draft=True))


def _texts(folder: Path) -> Iterator[Document]:
    book = texts.load_texts(folder)
    for template in book.templates.values():
        yield _text(book, template)


def _text(book: texts.TextBook, template: Template) -> Document:
    one = text_example(texts.Kind(template.kind), template.lang)
    return Document(
        template,
        lambda: book.draft(one),
        lambda: book.look(one, PPI, draft=True),
        lambda: _messages(*book.draft_messages(one)),
    )


def _messages(sms: texts.Written, mail: texts.Written) -> str:
    return f"SMS, {len(sms.text)} characters:\n{sms.text}\n\nMail:\nSubject: {mail.subject}\n\n{mail.text}"


def _chosen(folder: Path, keys: Sequence[str]) -> list[Document]:
    """Those asked for, else all."""
    found = documents(folder, {key.partition("/")[0] for key in keys})
    known = {document.template.key: document for document in found}
    for key in keys:
        if key not in known:
            raise CountyError(f"{key}: no such template; known: {', '.join(sorted(known)) or 'letters/..., texts/...'}")
    return [known[key] for key in keys] if keys else found


def _line(template: Template, signoffs: SignOffs) -> str:
    signed = signoffs.of(template)
    who = f" by {signed.by}, {signed.role}, {signed.signed_on}" if signed is not None else ""
    own = ", the county's own" if template.own else ""
    return f"{template.key}  version {template.version}{own}  form {template.form}  {signoffs.state(template)}{who}"


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as failed:
        raise IpviError(f"{path}: {failed.strerror}") from None
    typer.echo(str(path))


def _today() -> date:
    return datetime.now(UTC).date()
