"""What a field of a report holds, or what is wrong with it: names of elements, never their text."""

from __future__ import annotations

from collections.abc import Container, Sequence

from schemas.rejects import RejectCode
from services.intake.nibrs.segments import SegmentError
from services.intake.nibrs.xml.parsing import Element


def wrong(element: Element, field: str, code: RejectCode = RejectCode.NIBRS_FIELD) -> SegmentError:
    return SegmentError(element.line, code, f"{element.name}.{field}" if field else element.name)


def whole(element: Element, name: str, least: int, most: int) -> int:
    text = element.get(name)
    if not (text.isascii() and text.isdigit() and len(text) < 5 and least <= int(text) <= most):
        raise wrong(element, name)
    return int(text)


def one_of(element: Element, name: str, codes: Container[str]) -> str:
    text = element.get(name)
    if text not in codes:
        raise wrong(element, name)
    return text


def id_of(element: Element) -> str:
    return element.attributes.get("id", "")


def ref_of(link: Element, name: str) -> str:
    found = link.first(name)
    return (found.attributes.get("ref") or found.attributes.get("id", "")) if found else ""


def by_role(report: Element, association: str, role: str) -> dict[str, list[Element]]:
    """These associations by whom they are of."""
    found: dict[str, list[Element]] = {}
    for link in report.all(association):
        found.setdefault(ref_of(link, role), []).append(link)
    return found


def told_apart(elements: Sequence[Element], most: int, name: str) -> None:
    """By their ids, of which a link could else mean either, and no more than there are numbers for."""
    if len(elements) > most or len({id_of(each) for each in elements}) < len(elements):
        raise wrong(elements[-1], name)


def distinct(elements: Sequence[Element], values: Sequence[object], name: str) -> None:
    """Also where two have one id."""
    if len(set(values)) < len(elements) or len({id_of(each) for each in elements}) < len(elements):
        raise wrong(elements[-1], name)
