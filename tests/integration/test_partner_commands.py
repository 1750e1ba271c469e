"""`ipvi partners replay`, `status` and `test --send`: what a person types, is told and gets as exit code."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from sqlalchemy import insert
from standardwebhooks import Webhook

from schemas.topics import Topic
from services.cli import settled
from services.common import tables
from services.common.errors import ConfigurationError
from services.common.settings import CommonSettings
from services.partners.app import build
from services.partners.sender.webhook import WAITS
from services.partners.settings import PartnersSettings
from tests.harness.command import Said, ipvi
from tests.harness.partners import decision, partner
from tests.harness.receiver import Receiver, receiver
from tests.harness.webhooks import SECRET, Post, post

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def county(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all that there is."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for name, value in {
        "IPVI_HOME": tmp_path,
        "IPVI_PARTNERS": tmp_path / "files",
        "IPVI_PARTNERS_SECRETS": tmp_path,
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, str(value))
    (tmp_path / "files").mkdir()
    secrets = tmp_path / "hook.secrets"
    secrets.touch(mode=0o600)
    secrets.write_text(SECRET)
    return tmp_path


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def filed(county: Path, id: str = "hook", **changes: Any) -> Path:
    """Its partner file."""
    path = county / "files" / f"{id}.yaml"
    path.write_text(partner(id=id, **changes).model_dump_json(by_alias=True))
    return path


def webhook(url: str) -> dict[str, Any]:
    return {"kind": "webhook", "url": url, "private_networks": ["127.0.0.1/32"]}


def worked(county: Path, server: Receiver, work: Callable[[Post], Awaitable[Any]]) -> None:
    """What the service did until now, for the partner `hook`."""

    async def run() -> None:
        async with post(county, server.url) as made:
            await work(made)

    filed(county, delivery=webhook(server.url))
    asyncio.run(run())


def failed(said: Said, *parts: str) -> None:
    """One line that holds these, on standard error, and nothing of a traceback."""
    assert (said.code, said.out) == (2, ""), said
    assert said.err.count("\n") == 1, said.err
    assert all(part in said.err for part in parts), said.err


# replay --------------------------------------------------------------------------------------------------------------


def test_replay_delivers_again_what_came_in_that_time(county: Path, server: Receiver) -> None:
    async def work(made: Post) -> None:
        await made.say(decision(1), decision(2, "B", "C"))
        await made.send()
        made.now += HOUR
        await made.say(decision(3, "A", "B"))
        await made.send()

    worked(county, server, work)
    first = [request.id for request in server.taken]
    assert ipvi("partners", "replay", "hook", "--from", "2026-03-01T19:00:00Z", "--to", "2026-03-01T20:30:00Z") == (
        0, "2 to be delivered again\n", "",
    )  # fmt: skip
    worked(county, server, lambda made: made.send(timedelta(days=10_000)))
    assert [request.id for request in server.taken] == [*first, *first[:2]]
    # The same moment in another zone: 18:00 at UTC-2 is when the third came and was not before.
    assert ipvi("partners", "replay", "hook", "--from", "2026-03-01T18:59:00-02:00").out == "1 to be delivered again\n"


def test_replay_of_dead_letters_and_of_a_partner_that_was_gone(county: Path, server: Receiver) -> None:
    async def dies(made: Post) -> None:
        await made.say(decision(1))
        server.reply = lambda _: (500, {})
        for _ in range(len(WAITS) + 1):
            await made.send(timedelta(days=2))
        await made.say(decision(2, "B", "C", him="O-2"), him="O-2")
        server.reply = lambda _: (410, {})
        await made.send()

    worked(county, server, dies)
    [line] = map(json.loads, ipvi("partners", "status").out.splitlines())
    assert line["deliveries"]["disabled"] is not None
    assert (line["deliveries"]["counts"]["dead"], line["deliveries"]["counts"]["waiting"]) == (1, 1)
    assert ipvi("partners", "replay", "hook", "--enable") == (0, "0 to be delivered again\n", "")
    assert ipvi("partners", "replay", "hook", "--dead") == (0, "1 to be delivered again\n", "")
    server.reply = lambda _: (204, {})
    worked(county, server, lambda made: made.send(timedelta(days=20_000)))
    assert len(server.taken) == 2


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["nobody", "--from", "2026-03-01T00:00:00Z"], ["IPVI_PARTNERS", "nobody", "ipvi partners check"]),
        (["reads", "--from", "2026-03-01T00:00:00Z"], ["reads a topic", "--reset-offsets", "ipvi.partner.reads.v1"]),
        (["hook"], ["--from", "--dead", "--enable"]),
        (["hook", "--from", "yesterday"], ["--from", "2026-03-01T00:00:00Z"]),
        (["hook", "--from", "2026-03-01T00:00:00"], ["--from", "zone"]),
        (["hook", "--from", "2026-03-02T00:00:00Z", "--to", "2026-03-01T00:00:00Z"], ["--to", "not after"]),
        (["hook", "--dead"], ["hook", "ipvi migrate"]),
    ],
)
def test_replay_that_cannot_be_done(county: Path, words: list[str], parts: list[str]) -> None:
    filed(county, delivery=webhook("http://127.0.0.1:1/"))
    filed(county, "reads")
    failed(ipvi("partners", "replay", *words), *parts)


# status --------------------------------------------------------------------------------------------------------------


def test_status_has_a_line_a_partner(county: Path, server: Receiver) -> None:
    async def work(made: Post) -> None:
        await made.say(decision(1), decision(2, "B", "C"))
        await made.say(decision(1, him="O-2"), him="O-2")
        server.reply = lambda request: (500, {}) if request.event["subject"] != first else (204, {})
        first = made.bench.seal("offender", "O-2")
        await made.send()

    worked(county, server, work)
    said = ipvi("partners", "status")
    assert (said.code, said.err) == (0, "")
    [line] = map(json.loads, said.out.splitlines())
    assert (line["partner"], line["delivery"], line["lapsed"], line["behind_by"]) == ("hook", "webhook", False, 0)
    going = line["deliveries"]
    assert (going["counts"]["waiting"], going["counts"]["delivered"], going["failing"]) == (2, 1, 1)
    assert going["oldest"].startswith("2026-03-01 20:00:00")
    assert "O-2" not in said.out


def test_status_tells_of_the_others_where_one_cannot_be_told(county: Path, server: Receiver) -> None:
    worked(county, server, lambda made: made.say(decision(1)))
    filed(county, "not-migrated")
    (county / "files" / "odd.yaml").write_text("id: odd\n")
    said = ipvi("partners", "status")
    assert said.code == 2
    assert [json.loads(line)["partner"] for line in said.out.splitlines()] == ["hook"]
    odd, missing = said.err.splitlines()
    assert "odd.yaml" in odd
    assert "not-migrated: " in missing
    assert "ipvi migrate" in missing


def test_status_without_partners_or_without_kafka(
    county: Path, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(ipvi("partners", "status", env={"IPVI_PARTNERS": ""}), "IPVI_PARTNERS")

    async def work(made: Post) -> None:
        async with made.database.write() as conn:
            row = {"lane": 0, "topic": str(Topic.DECISIONS), "next_offset": 0, "published": 0}
            await conn.execute(insert(tables.positions).values(**row))

    worked(county, server, work)
    monkeypatch.setattr(settled, "REQUEST_S", 0.5)
    failed(ipvi("partners", "status"), "hook", "127.0.0.1:1")


# test --send ---------------------------------------------------------------------------------------------------------


def test_send_sends_one_signed_example_that_says_so(county: Path, server: Receiver) -> None:
    path = filed(county, delivery=webhook(server.url))
    said = ipvi("partners", "test", str(path), "--send")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1] == f"{server.url}: 204"
    [request] = server.taken
    assert request.headers["ipvi-test"] == "true"
    assert Webhook(SECRET).verify(request.body.decode(), request.headers) == request.event
    assert (request.event["source"], request.event["type"]) == ("/ipvi/partners/test", "ipvi.partner.decided.v1")


@pytest.mark.parametrize(("status", "code"), [(200, 0), (307, 1), (410, 1), (500, 1)])
def test_send_tells_what_was_answered(county: Path, server: Receiver, status: int, code: int) -> None:
    server.reply = lambda _: (status, {"location": "http://127.0.0.1:1/"})
    said = ipvi("partners", "test", str(filed(county, delivery=webhook(server.url))), "--send")
    assert (said.code, said.out.splitlines()[-1]) == (code, f"{server.url}: {status}")


def test_send_where_nobody_listens_or_it_may_not_go(county: Path) -> None:
    path = filed(county, delivery=webhook("http://127.0.0.1:1/"))
    assert ipvi("partners", "test", str(path), "--send")[:2][0] == 1
    path = filed(county, delivery={"kind": "webhook", "url": "https://localhost:1/"})
    said = ipvi("partners", "test", str(path), "--send")
    assert (said.code, said.out.splitlines()[-1]) == (1, "https://localhost:1/: private_address")


def test_send_that_cannot_be_done(county: Path) -> None:
    path = filed(county, delivery=webhook("http://127.0.0.1:1/"))
    (county / "hook.secrets").chmod(0o644)
    said = ipvi("partners", "test", str(path), "--send")
    assert (said.code, SECRET in said.err, "chmod 600" in said.err) == (2, False, True)
    (county / "hook.secrets").unlink()
    assert "hook.secrets: cannot be read" in ipvi("partners", "test", str(path), "--send").err
    said = ipvi("partners", "test", str(path), "--send", env={"IPVI_PARTNERS_SECRETS": ""})
    assert (said.code, "IPVI_PARTNERS_SECRETS" in said.err) == (2, True)
    said = ipvi("partners", "test", str(filed(county, "reads")), "--send")
    assert (said.code, "--send is for webhooks" in said.err) == (2, True)


# certificates --------------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(county: Path) -> trustme.CA:
    """The county's own; its certificate lies in `ca.pem`."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(county / "ca.pem"))
    return made


def tls(authority: trustme.CA, name: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(made)
    return made


def test_https_is_verified_and_a_county_s_own_authority_can_be_named(county: Path, authority: trustme.CA) -> None:
    with receiver(tls=tls(authority, "127.0.0.1")) as server:
        words = ("partners", "test", str(filed(county, delivery=webhook(server.url))), "--send")
        said = ipvi(*words)
        assert (said.code, said.out.splitlines()[-1], server.seen) == (1, f"{server.url}: certificate", [])
        said = ipvi(*words, env={"IPVI_PARTNERS_CA_FILE": str(county / "ca.pem")})
        assert (said.code, said.out.splitlines()[-1], len(server.taken)) == (0, f"{server.url}: 204", 1)


def test_an_authority_s_file_that_cannot_be_used(county: Path) -> None:
    path = filed(county, delivery=webhook("https://127.0.0.1:1/"))
    for text in (None, "no certificate"):
        if text is not None:
            (county / "odd.pem").write_text(text)
        said = ipvi("partners", "test", str(path), "--send", env={"IPVI_PARTNERS_CA_FILE": str(county / "odd.pem")})
        assert (said.code, "IPVI_PARTNERS_CA_FILE" in said.err, "PEM" in said.err) == (2, True, True)
        with pytest.raises(ConfigurationError, match="IPVI_PARTNERS_CA_FILE"):  # nor does the service start
            build(CommonSettings(home=county), PartnersSettings(partners_ca_file=county / "odd.pem"))
