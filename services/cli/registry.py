"""The services by name: what `ipvi serve` and `ipvi run` start. The only place that knows them all."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from schemas.commands import ClassifierTick, NotifierTick, OutreachTick, Tick
from services.common.replica import Replica
from services.common.settings import CommonSettings


@dataclass(frozen=True, slots=True)
class Part:
    """One service: its package (loaded when it is asked for), its clock's word, and whether people act on it."""

    package: str
    tick: type[Tick]
    api_port: int
    """Where `ipvi run` puts its API, on loopback."""

    def replica(self, settings: CommonSettings) -> Replica[Any]:
        """Compose it. Raises `PolicyError`, `ConfigurationError` or `TokensFileError` with one clear line."""
        app = importlib.import_module(f"services.{self.package}.app")
        companions = app.companions(settings) if hasattr(app, "companions") else ()
        return Replica(app.build(settings), settings, self.tick, self.router(settings), companions=companions)

    def router(self, settings: CommonSettings) -> Callable[..., Any] | None:
        """What makes its API's routes, with the county's wordings where it makes papers of them; None: it has none."""
        if importlib.util.find_spec(f"services.{self.package}.api") is None:
            return None
        app = importlib.import_module(f"services.{self.package}.app")
        router: Callable[..., Any] = importlib.import_module(f"services.{self.package}.api").router
        return partial(router, papers=app.papers(settings)) if hasattr(app, "papers") else router


@dataclass(frozen=True, slots=True)
class ProducerPart:
    """A service that composes itself: it has no lanes and only produces, or has those of many."""

    package: str
    api_port: int

    def replica(self, settings: CommonSettings) -> Any:
        """Compose it. Raises `PolicyError`, `ConfigurationError` or `TokensFileError` with one clear line."""
        return importlib.import_module(f"services.{self.package}.app").build(settings)


PRODUCERS: dict[str, ProducerPart] = {"intake": ProducerPart("intake", 8700)}

PARTNERS = ProducerPart("partners", 8704)
"""Runs the lanes of every partner that has a file; where there is no file, there is nothing to run."""

DATABASES = ("intake", "classifier", "notifier", "victim_outreach", "partners")
"""Who has tables of its own."""

SERVICES: dict[str, Part] = {
    "classifier": Part("classifier", ClassifierTick, 8701),
    "notifier": Part("notifier", NotifierTick, 8702),
    "victim_outreach": Part("victim_outreach", OutreachTick, 8703),
}
