"""The delivery that docs/intake.md shows is one that intake takes."""

from __future__ import annotations

import re

from schemas.generate import PROJECT
from schemas.incident import IncidentReported
from services.cli.registry import PRODUCERS
from services.cli.run import SAMPLE_AGENCY
from services.intake.bodies import units

PAGE = (PROJECT / "docs" / "intake.md").read_text("utf-8")


def test_the_first_delivery() -> None:
    [command, body] = re.findall(r"^```\n(curl .+?)<<'END'\n(.+?)END\n```", PAGE, re.DOTALL | re.MULTILINE)[0]
    headers = {name.lower(): value for name, value in re.findall(r'-H "([\w-]+): ([^"]+)"', command)}
    assert f"http://127.0.0.1:{PRODUCERS['intake'].api_port}/v1/incidents" in command
    assert headers["authorization"] == "Bearer $(cat .ipvi/token)"
    assert re.fullmatch(r"[\x21-\x7e]{8,128}", headers["idempotency-key"])
    [unit], is_single = units(body.encode(), headers["content-type"], headers, SAMPLE_AGENCY, "receipt")
    assert is_single and unit.reject is None
    [event] = unit.events
    assert isinstance(event.data, IncidentReported)
    assert event.data.arrest is not None and event.data.offenses[0].charged
