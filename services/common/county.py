"""A county's folder: its letterhead, who signed which template off, the data of each kind of document.

    letterhead.yaml   agency, address, telephone, logo
    signoffs.yaml     which template was read and may be used
    letters.yaml      what only letters say;  texts.yaml: what only texts for victims say
    letters/ texts/   the county's own wording, in place of or beside what is shipped

Files are read strictly: a key nobody knows is an error, and an error names file and field, never a value.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

import schemas
from services.common.errors import ConfigurationError
from services.common.typesetting import Logo, Sheet, TypesettingError, pdf

M = TypeVar("M", bound=BaseModel)

LANGUAGES = ("en", "es")
MAX_LOGO = 512 * 1024
_MARKS_IN_A_ROW = 3


class CountyError(ConfigurationError):
    """A county's folder cannot be used. One line: file, field, what to do."""


class _Loader(yaml.SafeLoader):
    """A key that stands twice is an error: YAML would take the last and say nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        made = super().construct_mapping(node, deep)
        if len(made) < len(node.value):
            raise yaml.constructor.ConstructorError(problem="a key stands twice", problem_mark=node.start_mark)
        return made


class Strict(BaseModel):
    """Frozen, no unknown key, and no value in an error's text."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def one_line(text: str) -> str:
    """Text as one printed line, in NFC, spaces single. Raises `ValueError` for what would print otherwise than it reads.

    That is: control and format characters (line ends, text that runs the other way, invisible joiners) and marks heaped on
    one letter over other lines.
    """
    line = " ".join(unicodedata.normalize("NFC", text).split())
    marks = longest = 0
    for character in line:
        category = unicodedata.category(character)
        if category[0] == "C" or category in ("Zl", "Zp"):
            raise ValueError("has a character that cannot be printed")
        marks = marks + 1 if category[0] == "M" else 0
        longest = max(longest, marks)
    if longest > _MARKS_IN_A_ROW:
        raise ValueError("has marks heaped on one letter")
    return line


Line = Annotated[str, Field(max_length=200), AfterValidator(one_line), Field(min_length=1)]
"""One printed line of at most 200 characters."""


class Localized(Strict):
    """The same words in each language; English is always there."""

    en: Line
    es: Line | None = None

    def text(self, lang: str) -> str:
        """In this language, or else in English."""
        return (self.es if lang == "es" else None) or self.en


class Contact(Strict):
    """Who answers the telephone."""

    name: Line
    title: Localized | None = None
    phone: Line
    hours: Localized | None = None

    def lines(self, lang: str) -> list[str]:
        """As printed: name and title, telephone and hours."""
        who = ", ".join(part for part in (self.name, self.title and self.title.text(lang)) if part)
        how = ", ".join(part for part in (self.phone, self.hours and self.hours.text(lang)) if part)
        return [who, how]


class Offer(Strict):
    """A service that helps: name, telephone, and in a few words what it does."""

    name: Line
    phone: Line
    about: Localized | None = None

    def row(self, lang: str) -> dict[str, str | None]:
        """As the layout prints it in a list."""
        return {"text": f"{self.name}: {self.phone}", "more": self.about.text(lang) if self.about else None}


class Letterhead(Strict):
    """Who writes."""

    agency: Line
    address: Annotated[tuple[Line, ...], Field(max_length=4)] = ()
    phone: Line | None = None
    logo: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\.(svg|png|jpg)$")] | None = None
    logo_words: Line | None = None
    """What a screen reader says for the logo."""

    def lines(self) -> list[str]:
        return [self.agency, *self.address, *([self.phone] if self.phone else [])]


def sample_county() -> Path:
    """The folder of the invented county, in the repository or in an installed wheel: what a real one starts from."""
    package = Path(schemas.__file__).parent
    here, installed = package.parent / "policies" / "sample-county", package / "policies" / "sample-county"
    return here if here.is_dir() else installed


@dataclass(frozen=True, slots=True)
class County:
    """One county's folder, its letterhead read."""

    folder: Path
    letterhead: Letterhead
    logo: Logo | None

    def data(self, name: str, model: type[M]) -> M:
        """What stands in a file of the folder. Raises `CountyError`."""
        return read_yaml(self.folder / name, model)


def has_document(folder: Path | None, name: str) -> bool:
    """Whether the county's folder holds such data. Raises `CountyError` where there is no such folder: a misspelt name must
    not silently mean that nothing is printed."""
    if folder is None:
        return False
    if not folder.is_dir():
        raise CountyError(f"IPVI_COUNTY: {folder}: no such folder")
    return (folder / name).is_file()


def load_county(folder: Path) -> County:
    """Read a county's folder. Raises `CountyError`."""
    if not folder.is_dir():
        raise CountyError(f"{folder}: no such folder; IPVI_COUNTY names the folder with letterhead.yaml in it")
    letterhead = read_yaml(folder / "letterhead.yaml", Letterhead)
    return County(folder, letterhead, _logo(folder, letterhead))


def read_yaml(path: Path, model: type[M]) -> M:
    """A YAML file as `model`. Raises `CountyError` with file, line or field, and no value."""
    return parse_yaml(read_bytes(path), model, str(path))


def read_bytes(path: Path) -> bytes:
    """Raises `CountyError` where the file cannot be read."""
    try:
        return path.read_bytes()
    except OSError as failed:
        raise CountyError(f"{path}: {failed.strerror or 'cannot be read'}") from None


def parse_yaml(content: bytes, model: type[M], name: str) -> M:
    """YAML as `model`; `name` is what errors call it. Raises `CountyError`."""
    try:
        body: Any = yaml.load(content.decode("utf-8"), _Loader)
    except yaml.MarkedYAMLError as failed:
        line = failed.problem_mark.line + 1 if failed.problem_mark else 1
        raise CountyError(f"{name}: line {line}: {'a key stands twice' if _twice(failed) else 'not YAML'}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise CountyError(f"{name}: not YAML in UTF-8") from None
    try:
        return model.model_validate(body)
    except ValidationError as failed:
        raise CountyError(f"{name}: {mend(failed)}") from None


def mend(failed: ValidationError) -> str:
    """Where the first error is and what it is, with no value."""
    first = failed.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the whole"
    return f"{place}: {first['msg'].removeprefix('Value error, ')}"


def _twice(failed: yaml.MarkedYAMLError) -> bool:
    return isinstance(failed, yaml.constructor.ConstructorError) and failed.problem == "a key stands twice"


def _logo(folder: Path, letterhead: Letterhead) -> Logo | None:
    if letterhead.logo is None:
        return None
    path = folder / letterhead.logo
    content = read_bytes(path)
    if len(content) > MAX_LOGO:
        raise CountyError(f"{path}: larger than {MAX_LOGO // 1024} KiB")
    logo = Logo(content, path.suffix, letterhead.logo_words or letterhead.agency)
    try:
        pdf(Sheet("en", "Logo", "", [letterhead.agency], date(2000, 1, 1), [], "", logo=logo))
    except TypesettingError:
        raise CountyError(
            f"{path}: not a picture that can be printed; links and other files in it are not followed"
        ) from None
    return logo
