"""The pages to browse, and the document they are made of."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator
from typer.testing import CliRunner

from schemas.envelope import event_types
from schemas.generate import PROJECT
from schemas.generate.site import site
from schemas.partner import partner_types
from schemas.topics import Topic
from services.cli.main import app

OFFICIAL = Path(__file__).parent / "asyncapi" / "3.0.0.schema.json"
"""AsyncAPI's own schema, as npm's `@asyncapi/specs` 6.11.1 has it (Apache 2.0, `LICENSE` beside it)."""
URLS = {"src", "href", "action", "data", "poster", "srcset", "formaction", "background", "cite", "ping", "manifest"}


class Page(HTMLParser):
    """What a browser would find."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in URLS:
                self.links.append(value or "")


FILES = site()


@pytest.fixture(scope="module")
def page() -> Page:
    found = Page()
    found.feed(FILES["index.html"])
    return found


def test_the_document_is_valid_asyncapi() -> None:
    validator = Draft7Validator(json.loads(OFFICIAL.read_text("utf-8")))
    document = yaml.safe_load(FILES["asyncapi.yaml"])
    assert [f"{list(fault.path)}: {fault.message}" for fault in validator.iter_errors(document)] == []
    assert list(validator.iter_errors(document | {"channels": [1]})), "the check bites"


def test_it_needs_no_network_and_can_publish_nothing(page: Page) -> None:
    assert not [link for link in page.links if re.match(r"[a-z][a-z+.-]*:|//", link, re.IGNORECASE)]
    assert not page.tags & {"script", "form", "button", "input", "iframe", "img", "object", "embed", "link", "base"}
    assert not re.search(r"@import|url\(", FILES["index.html"])
    assert "default-src 'none'" in FILES["index.html"]


def test_every_link_leads_somewhere(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        assert link in FILES or link.removeprefix("#") in page.ids, link


def test_every_topic_and_type_is_there_with_its_fields_and_an_example(page: Page) -> None:
    assert {f"topic-{topic.short_name}" for topic in Topic} <= set(page.ids)
    for name, model in {**event_types(), **partner_types()}.items():
        assert name in page.ids
        part = FILES["index.html"].split(f'<h3 id="{name}">')[1].split("<h3 id=")[0]
        assert all(f"<code>{field.alias or key}</code>" in part for key, field in model.model_fields.items())
        assert "<pre>{" in part


def test_the_command_writes_it(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["contract", "page", str(tmp_path / "made")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "made" / "index.html").read_text("utf-8") == FILES["index.html"]
    assert (tmp_path / "made" / "json" / "envelope.schema.json").read_bytes() == (
        PROJECT / "schemas" / "json" / "envelope.schema.json"
    ).read_bytes()
