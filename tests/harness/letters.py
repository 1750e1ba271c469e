"""Counties to try letters and texts with; and what a PDF says of itself."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdf

from services.common.county import sample_county

SAMPLE_COUNTY = sample_county()


@dataclass(frozen=True)
class Read:
    """A PDF as a reader's program, or a screen reader, has it."""

    reader: pypdf.PdfReader

    @classmethod
    def of(cls, content: bytes) -> Read:
        return cls(pypdf.PdfReader(io.BytesIO(content), strict=True))

    @property
    def root(self) -> Any:
        """The document's catalogue."""
        return self.reader.trailer["/Root"].get_object()

    @property
    def metadata(self) -> dict[str, str]:
        return {key: str(value) for key, value in (self.reader.metadata or {}).items()}

    @property
    def text(self) -> str:
        return "\n".join(page.extract_text() for page in self.reader.pages)

    @property
    def solid(self) -> str:
        """The text without its white space, that of no width too: where lines broke or may break does not matter."""
        return "".join(self.text.replace("\u200b", "").split())

    def fonts(self) -> set[str]:
        """Names of the fonts on its pages."""
        pages: list[Any] = list(self.reader.pages)
        return {str(one.get_object()["/BaseFont"]) for page in pages for one in page["/Resources"]["/Font"].values()}

    def tags(self) -> list[str]:
        """Kinds of the structure tree's elements, in reading order."""
        return list(_tags(self.root["/StructTreeRoot"].get_object()))


def _tags(node: Any) -> Iterator[str]:
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for one in node:
            yield from _tags(one)
    elif isinstance(node, dict):
        if "/S" in node:
            yield str(node["/S"])
        if "/K" in node:
            yield from _tags(node["/K"])


SHIPPED = {
    "letters": Path(__file__).parents[2] / "services/notifier/letters/templates",
    "texts": Path(__file__).parents[2] / "services/victim_outreach/texts/templates",
}


def county_copy(to: Path) -> Path:
    """The sample county's folder, to be changed."""
    folder = to / "county"
    shutil.copytree(SAMPLE_COUNTY, folder)
    return folder


def shipped_wording(key: str) -> str:
    """A template's file as shipped; `key` as `letters/c-en`."""
    set_name, name = key.split("/")
    return (SHIPPED[set_name] / f"{name}.yaml").read_text("utf-8")


def own_wording(county: Path, key: str, text: str) -> None:
    """Put a wording of the county's own in its folder."""
    path = county / f"{key}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8", newline="")
