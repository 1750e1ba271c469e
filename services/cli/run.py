"""`ipvi run`: the whole pipeline in one process tree, on an embedded Kafka and SQLite unless told otherwise."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from confluent_kafka.admin import AdminClient
from rich.console import Console

from schemas.commands import Role
from schemas.partner_file import Partner
from services.classifier.policies import usable
from services.cli.broker.node import EmbeddedBroker
from services.cli.broker.process import BoundProcess
from services.cli.database import opened
from services.cli.ingest import FormatOption, MappingOption, ZoneOption, ingest_file
from services.cli.registry import PARTNERS, PRODUCERS, SERVICES, Part, ProducerPart
from services.cli.serve import migrate_all
from services.cli.settled import ends, is_settled, places
from services.cli.summary import Summary, summarise
from services.cli.topics import create_topics
from services.common.cluster import SecurityProtocol
from services.common.county import sample_county
from services.common.errors import ConfigurationError
from services.common.settings import CommonSettings, settings_or_error
from services.intake.app import Format
from services.intake.domain import AsOf, IngestSummary
from services.partners.app import partners_of
from services.partners.settings import PartnersSettings

SAMPLE = Path(__file__).parents[2] / "deploy" / "sample" / "county.jsonl"
SAMPLE_AGENCY = "ZZ0010000"
PATHS = (
    "IPVI_PARTNERS", "IPVI_PARTNERS_SECRETS", "IPVI_PARTNERS_BATCHES", "IPVI_PARTNERS_CA_FILE",
    "IPVI_DUTY_ROSTER", "IPVI_FEEDS_FILE", "IPVI_OUTBOX", "IPVI_SMTP_CA_FILE", "KAFKA_PASSWORD_FILE", "KAFKA_CA_FILE",
)  # fmt: skip
"""Made whole: services run in another folder."""
READY_S = 90.0
SETTLE_S = 1_200.0


@dataclass(slots=True)
class Tree:
    """The processes of one run, and where they are."""

    settings: CommonSettings
    console: Console
    partners: Sequence[Partner] = ()
    """Those that have a file; their service is started where there are any."""
    processes: dict[str, BoundProcess] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        settings = self.settings
        given = {
            "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
            "KAFKA_SECURITY_PROTOCOL": str(settings.kafka_security_protocol),
            "IPVI_HOME": str(settings.home.resolve()),
            "IPVI_POLICY": settings.policy,
            "IPVI_COUNTY": str((settings.county or sample_county()).resolve()),
            "IPVI_PARTITIONS": str(settings.partitions),
            "IPVI_AS_OF": settings.as_of,
            "IPVI_TICKS": str(settings.ticks).lower(),
            "IPVI_TOKENS_FILE": str(settings.tokens_file.resolve()) if settings.tokens_file else "",
        }
        for name in PATHS:
            if path := os.environ.get(name):
                given[name] = str(Path(path).resolve())
        if not os.environ.get("IPVI_SMTP_URL"):
            given.setdefault("IPVI_OUTBOX", str(settings.home.resolve() / "outbox"))
        if settings.database_url:
            given["DATABASE_URL"] = settings.database_url
        return {**os.environ, **{name: value for name, value in given.items() if value}}

    def start(self, *, with_api: bool) -> None:
        """One process a service, its log beside its state."""
        logs = self.settings.home.resolve() / "logs"
        logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        parts: dict[str, Part | ProducerPart] = {**SERVICES, **(PRODUCERS if with_api else {})}
        if self.partners:
            parts["partners"] = PARTNERS
        for name, part in parts.items():
            environment = self.environment() | ({"IPVI_API_PORT": str(part.api_port)} if with_api else {})
            self.processes[name] = BoundProcess(
                [sys.executable, "-m", "services.cli.main", "serve", name], log=logs / f"{name}.log", env=environment
            )

    def check(self) -> None:
        """Raises `ConfigurationError` with a service's last line if it has ended by itself."""
        for name, process in self.processes.items():
            if not process.alive:
                lines = (self.settings.home / "logs" / f"{name}.log").read_text(errors="replace").strip().splitlines()
                raise ConfigurationError(f"{name} has ended: {lines[-1] if lines else 'it said nothing'}")

    def stop(self) -> None:
        for process in self.processes.values():
            process.stop()


def run_command(
    input: Annotated[Path | None, typer.Option(help="What to feed. Not given: the bundled sample county.")] = None,
    format: FormatOption = Format.CLOUDEVENTS,
    policy: Annotated[str | None, typer.Option(help="Id in policies/, or a policy file.")] = None,
    as_of: Annotated[
        AsOf, typer.Option("--as-of", help="Record time: the broker's (now) or as reported (demos, back-testing).")
    ] = AsOf.NOW,
    once: Annotated[bool, typer.Option("--once", help="End when everything has had all its effects.")] = False,
    summary: Annotated[Path | None, typer.Option(help="Write what came of it, as JSON, to this file.")] = None,
    ephemeral: Annotated[
        bool, typer.Option("--ephemeral", help="Keep nothing: state in a folder that is removed.")
    ] = False,
    time_zone: ZoneOption = None,
    mapping: MappingOption = None,
) -> None:
    """Run the whole pipeline: Kafka, the three services, and a feed.

    Without KAFKA_BOOTSTRAP_SERVERS a real Apache Kafka is started on loopback; without DATABASE_URL each service keeps its
    state in SQLite. Everything is kept under .ipvi (IPVI_HOME).

    Exit codes: 0 done, 2 something is not usable (one line says what), 3 the feed was paused for its rejects.

    Examples:

        ipvi run

        ipvi run --once --as-of reported --input 2019-05.txt.gz --format nibrs-flat --summary summary.json
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    source = input or SAMPLE
    if not source.is_file():
        raise ConfigurationError(f"{source}: no such file")
    settings = settings_or_error(CommonSettings)
    changes: dict[str, object] = {"as_of": str(as_of), "ticks": settings.ticks and not once}
    if policy:
        changes["policy"] = policy
    usable(str(changes.get("policy", settings.policy)))
    with ExitStack() as stack:
        if ephemeral:
            changes["home"] = Path(stack.enter_context(_temporary_home()))
        settings = settings.model_copy(update=changes)
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if "KAFKA_BOOTSTRAP_SERVERS" not in os.environ:
            console.print("Starting Kafka ...", markup=False)
            broker = stack.enter_context(EmbeddedBroker(settings.home / "kafka", brief=once))
            settings = settings.model_copy(
                update={
                    "kafka_bootstrap_servers": broker.bootstrap_servers,
                    "kafka_security_protocol": SecurityProtocol.PLAINTEXT,
                }
            )
        result = _run(settings, source, format, as_of, once, time_zone, mapping, console)
    if result is not None:
        text = json.dumps(result, indent=2)
        if summary is not None:
            summary.write_text(text + "\n")
        else:
            typer.echo(text)


def _run(
    settings: CommonSettings,
    source: Path,
    kind: Format,
    as_of: AsOf,
    once: bool,
    time_zone: str | None,
    mapping: str | None,
    console: Console,
) -> Summary | None:
    partners = partners_of(settings_or_error(PartnersSettings))
    create_topics(settings.kafka, settings.partitions, [each.topic for each in partners])
    asyncio.run(migrate_all(settings, partners=partners))
    if settings.tokens_file is None and not once:
        settings = settings.model_copy(update={"tokens_file": _own_token(settings.home)})
    tree = Tree(settings, console, partners)
    with _stopped_at_end(tree):
        tree.start(with_api=not once)
        console.print(f"Kafka is at {settings.kafka_bootstrap_servers}", markup=False)
        console.print(f"Feeding {source.name} ...", markup=False)
        fed = ingest_file(source, kind, as_of, time_zone, settings, console, mapping)
        _wait_settled(tree)
        result = asyncio.run(summarise(settings, fed))
        if once:
            return result
        _say_where(tree, fed, result)
        while True:
            tree.check()
            time.sleep(1)


def _wait_settled(tree: Tree) -> None:
    """Settled twice in a row: between the two every service had time to say what the other's word made it say."""
    deadline = time.monotonic() + SETTLE_S
    admin = AdminClient(tree.settings.kafka.admin())
    in_a_row = 0
    while in_a_row < 2:
        tree.check()
        if time.monotonic() > deadline:
            raise ConfigurationError(f"not settled after {SETTLE_S:.0f} s; the services' logs say more")
        names = [*SERVICES, *(each.service for each in tree.partners)]
        in_a_row = in_a_row + 1 if asyncio.run(_settled(tree.settings, admin, names)) else 0
        time.sleep(0.3)


async def _settled(settings: CommonSettings, admin: AdminClient, names: Sequence[str]) -> bool:
    for name in names:
        async with opened(settings, name) as database, database.read() as conn:
            at = await places(conn)
        topics = sorted({topic for topic, _ in at})
        if not topics or not is_settled(at, ends(admin, topics, settings.partitions)):
            return False
    return True


@contextmanager
def _stopped_at_end(tree: Tree) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        tree.console.print("Stopping ...", markup=False)
    finally:
        tree.stop()


@contextmanager
def _temporary_home() -> Iterator[str]:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="ipvi-") as folder:
        yield folder


def _own_token(home: Path) -> Path:
    """A token for whoever started this run, in files only he can read; the service keeps its SHA-256."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    token, tokens = home / "token", home / "tokens.jsonl"
    if not (token.exists() and tokens.exists()):
        secret = secrets.token_urlsafe(32)
        entry = {
            "sha256": hashlib.sha256(secret.encode()).hexdigest(),
            "person": "demo",
            "roles": [str(r) for r in Role if r is not Role.PARTNER],
            "agency": SAMPLE_AGENCY,
        }
        for path, text in ((token, secret), (tokens, json.dumps(entry) + "\n")):
            path.touch(mode=0o600)
            path.write_text(text)
    return tokens


def _say_where(tree: Tree, fed: IngestSummary, result: Mapping[str, object]) -> None:
    say = tree.console.print
    say(f"Fed: {fed}", markup=False)
    say(
        json.dumps({key: result[key] for key in ("offenders", "tasks", "notifications", "pairs")}, indent=2),
        markup=False,
    )
    home = tree.settings.home
    say("Where to look:", markup=False)
    notifier, outreach = SERVICES["notifier"].api_port, SERVICES["victim_outreach"].api_port
    bearer = f'-H "Authorization: Bearer $(cat {home}/token)"'
    say(f"  notices that wait    curl {bearer} http://127.0.0.1:{notifier}/v1/notifications", markup=False)
    say(f"  tasks for victims    curl {bearer} http://127.0.0.1:{outreach}/v1/tasks", markup=False)
    say(f"  health               curl {bearer} http://127.0.0.1:{notifier}/health", markup=False)
    say(f"  logs                 {home}/logs/*.log", markup=False)
    say("Ctrl-C stops everything; what was done is kept.", markup=False)
