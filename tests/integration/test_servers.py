"""The servers that tests stand on do what the tests believe: a broker, a PostgreSQL, and proxies that break their wires."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced
from aiokafka.structs import OffsetAndMetadata

from services.cli.broker import BrokerError, EmbeddedBroker
from services.cli.broker.jars import class_cache, class_path
from tests.harness import kafka
from tests.harness.postgres import LocalPostgres, dsn, local_postgres, through
from tests.harness.proxy import COMMIT, Api, KafkaProxy, PostgresProxy, proxied_broker

GONE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What asyncpg raises when its connection is cut."""


@pytest.fixture(scope="module")
def behind_proxy() -> Iterator[tuple[EmbeddedBroker, KafkaProxy]]:
    with proxied_broker() as both:
        yield both


@pytest.fixture(scope="module")
def node(behind_proxy: tuple[EmbeddedBroker, KafkaProxy]) -> EmbeddedBroker:
    return behind_proxy[0]


@pytest.fixture
def proxy(behind_proxy: tuple[EmbeddedBroker, KafkaProxy]) -> Iterator[KafkaProxy]:
    yield behind_proxy[1]
    behind_proxy[1].disarm()


@pytest.fixture
def topic(node: EmbeddedBroker) -> Iterator[str]:
    name = kafka.unique("topic")
    kafka.create_topics(node.bootstrap_servers, {name: 2})
    yield name
    kafka.delete_topics(node.bootstrap_servers, [name])


@pytest.fixture(scope="module")
def server() -> Iterator[LocalPostgres]:
    with local_postgres() as started:
        yield started


@pytest.fixture
def database(server: LocalPostgres) -> Iterator[str]:
    url = server.create_database()
    server.execute("CREATE TABLE seen (n int)", url)
    yield url
    server.drop_database(url)


@pytest.fixture
def wire(server: LocalPostgres) -> Iterator[PostgresProxy]:
    with PostgresProxy(server.host, server.port) as started:
        yield started


@asynccontextmanager
async def producer(bootstrap: str, transactional_id: str) -> AsyncIterator[AIOKafkaProducer]:
    made = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        transactional_id=transactional_id,
        transaction_timeout_ms=10_000,
        request_timeout_ms=4_000,
        retry_backoff_ms=5,
    )
    try:
        await made.start()
        yield made
    finally:
        with suppress(ProducerFenced):  # by the test itself, through another owner
            await asyncio.wait_for(made.stop(), 10)


def values(bootstrap: str, topic: str, isolation: str = "read_committed") -> list[bytes | None]:
    return [record.value for record in kafka.read_all(bootstrap, topic, isolation)]


def test_a_damaged_cache_of_classes_is_passed_over(tmp_path: Path) -> None:
    assert class_cache().exists(), "made at set-up"
    damaged = tmp_path / "classes.aot"
    damaged.write_bytes(b"damaged")
    with EmbeddedBroker(tmp_path / "data", brief=True, java_options=[f"-XX:AOTCache={damaged}"]) as node:
        assert node.cluster_id


def test_servers_die_with_their_starter(tmp_path: Path) -> None:
    """However it goes, and from whatever thread the server was started."""
    script = f"""
import os, pathlib, signal, threading, time
from services.cli.broker.process import BoundProcess
servers = []
start = lambda: servers.append(BoundProcess(["sleep", "60"], log=pathlib.Path({str(tmp_path / "log")!r})))
thread = threading.Thread(target=start)
thread.start()
thread.join()
time.sleep(0.2)
assert servers[0].alive
print(servers[0].pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert _gone(int(done.stdout))


def _gone(pid: int) -> bool:
    """Within 5 seconds; a killed process that nobody has collected yet counts as gone."""
    for _ in range(500):
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
        if not state or state.startswith("Z"):
            return True
        time.sleep(0.01)
    return False


class TestBroker:
    @pytest.mark.asyncio
    async def test_only_committed_records_are_read(self, node: EmbeddedBroker, topic: str) -> None:
        group = kafka.unique("group")
        async with producer(node.bootstrap_servers, kafka.unique("lane")) as sender:
            async with sender.transaction():
                await sender.send_and_wait(topic, b"kept", key=b"k", partition=1, headers=[("ce_id", b"1")])
                position = {TopicPartition(topic, 0): OffsetAndMetadata(7, "db=x")}
                await sender.send_offsets_to_transaction(position, group)
            await sender.begin_transaction()
            await sender.send_and_wait(topic, b"dropped", partition=1)
            await sender.abort_transaction()

        [record] = kafka.read_all(node.bootstrap_servers, topic)
        assert (record.partition, record.key, record.value, record.headers) == (1, b"k", b"kept", (("ce_id", b"1"),))
        assert values(node.bootstrap_servers, topic, "read_uncommitted") == [b"kept", b"dropped"]
        assert kafka.committed(node.bootstrap_servers, group) == {(topic, 0): (7, "db=x")}

    def test_helpers_write_and_count(self, node: EmbeddedBroker, topic: str) -> None:
        kafka.produce(node.bootstrap_servers, topic, [(0, b"k", None, []), (1, None, b"v", [("h", b"1")])])
        assert kafka.end_offsets(node.bootstrap_servers, [topic]) == {(topic, 0): 1, (topic, 1): 1}
        assert values(node.bootstrap_servers, topic) == [None, b"v"]

    def test_data_outlives_a_stop_and_a_crash(self, tmp_path: Path) -> None:
        first, second, third = (EmbeddedBroker(tmp_path, brief=True) for _ in range(3))
        with first:
            kafka.create_topics(first.bootstrap_servers, {"kept": 1})
            kafka.produce(first.bootstrap_servers, "kept", [(0, None, b"1", [])])
        with second:
            kafka.produce(second.bootstrap_servers, "kept", [(0, None, b"2", [])])
            second.kill()
        with third:
            assert values(third.bootstrap_servers, "kept") == [b"1", b"2"]
        assert first.cluster_id == third.cluster_id

    def test_failure_to_start_shows_the_log(self, node: EmbeddedBroker, tmp_path: Path) -> None:
        with pytest.raises(BrokerError, match="Address already in use"):
            EmbeddedBroker(tmp_path, port=node.port, brief=True).start()

    def test_missing_jars_name_the_remedy(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("IPVI_HOME", str(tmp_path))
        with pytest.raises(BrokerError, match="make install"):
            class_path()


@pytest.mark.asyncio
class TestKafkaProxy:
    """One record in a transaction; its end meets each fault. The same transactional id then claims, as an owner would."""

    async def begin(self, sender: AIOKafkaProducer, topic: str) -> None:
        await sender.begin_transaction()
        await sender.send_and_wait(topic, b"1", partition=0)

    async def test_clients_stay_on_the_proxy(self, node: EmbeddedBroker, proxy: KafkaProxy, topic: str) -> None:
        before = proxy.counts[Api.END_TXN]
        async with producer(proxy.bootstrap_servers, kafka.unique("lane")) as sender:
            await self.begin(sender, topic)
            await sender.commit_transaction()
        assert proxy.counts[Api.END_TXN] > before
        assert values(node.bootstrap_servers, topic) == [b"1"]

    async def test_lost_answer_is_committed(self, node: EmbeddedBroker, proxy: KafkaProxy, topic: str) -> None:
        lane = kafka.unique("lane")
        fault = proxy.lose_answer(Api.END_TXN, containing=lane.encode())
        before = proxy.counts[Api.END_TXN]
        async with producer(proxy.bootstrap_servers, lane) as sender:
            await self.begin(sender, topic)
            # The client asks again by itself, as often as the coordinator is still busy, and learns that it is done.
            await sender.commit_transaction()
        assert fault.delivered.is_set() and fault.fired.is_set()
        assert proxy.counts[Api.END_TXN] >= before + 2
        assert values(node.bootstrap_servers, topic) == [b"1"]

    async def test_lost_request_is_repeated(self, node: EmbeddedBroker, proxy: KafkaProxy, topic: str) -> None:
        lane = kafka.unique("lane")
        fault = proxy.lose_request(Api.END_TXN, containing=lane.encode())
        async with producer(proxy.bootstrap_servers, lane) as sender:
            await self.begin(sender, topic)
            await sender.commit_transaction()
        assert fault.fired.is_set() and not fault.delivered.is_set()
        assert values(node.bootstrap_servers, topic) == [b"1"]

    async def test_nth_match(self, node: EmbeddedBroker, proxy: KafkaProxy, topic: str) -> None:
        lane = kafka.unique("lane")
        fault = proxy.lose_answer(Api.END_TXN, nth=2, containing=lane.encode())
        async with producer(proxy.bootstrap_servers, lane) as sender:
            await self.begin(sender, topic)
            await sender.commit_transaction()
            assert not fault.fired.is_set()
            await self.begin(sender, topic)
            await sender.commit_transaction()
        assert fault.fired.is_set()
        assert values(node.bootstrap_servers, topic) == [b"1", b"1"]

    async def test_held_request_comes_after_the_next_claim(
        self, node: EmbeddedBroker, proxy: KafkaProxy, topic: str
    ) -> None:
        lane = kafka.unique("lane")
        fault = proxy.hold_request(Api.END_TXN, containing=lane.encode(), cut=False)
        async with producer(proxy.bootstrap_servers, lane) as old:
            await self.begin(old, topic)
            ending = asyncio.create_task(old.commit_transaction())
            assert await asyncio.to_thread(fault.fired.wait, 5)
            proxy.block()
            async with producer(node.bootstrap_servers, lane) as new:
                await self.begin(new, topic)
                fault.release()
                assert await asyncio.to_thread(fault.delivered.wait, 5)
                # As far as can be read: what the claim aborted, and not yet what the new owner's transaction holds.
                assert values(node.bootstrap_servers, topic) == []
                await new.commit_transaction()
            proxy.unblock()
            with pytest.raises(ProducerFenced):
                await asyncio.wait_for(ending, 10)
        assert values(node.bootstrap_servers, topic) == [b"1"]
        assert values(node.bootstrap_servers, topic, "read_uncommitted") == [b"1", b"1"]

    async def test_held_request_is_overtaken_by_its_repeat(
        self, node: EmbeddedBroker, proxy: KafkaProxy, topic: str
    ) -> None:
        lane = kafka.unique("lane")
        fault = proxy.hold_request(Api.END_TXN, containing=lane.encode())
        async with producer(proxy.bootstrap_servers, lane) as sender:
            await self.begin(sender, topic)
            await sender.commit_transaction()
            assert fault.fired.is_set() and not fault.delivered.is_set()
            fault.release()
            assert await asyncio.to_thread(fault.delivered.wait, 5)
        assert values(node.bootstrap_servers, topic) == [b"1"]

    async def test_held_request_before_any_claim_commits(
        self, node: EmbeddedBroker, proxy: KafkaProxy, topic: str
    ) -> None:
        lane = kafka.unique("lane")
        fault = proxy.hold_request(Api.END_TXN, containing=lane.encode(), seconds=0.3, cut=False)
        async with producer(proxy.bootstrap_servers, lane) as sender:
            await self.begin(sender, topic)
            await sender.commit_transaction()
        assert fault.fired.is_set() and fault.delivered.is_set()
        assert values(node.bootstrap_servers, topic) == [b"1"]

    async def test_blocked_means_unreachable(self, proxy: KafkaProxy, topic: str) -> None:
        async with producer(proxy.bootstrap_servers, kafka.unique("lane")) as sender:
            await self.begin(sender, topic)
            proxy.block()
            with pytest.raises(KafkaError):
                async with producer(proxy.bootstrap_servers, kafka.unique("lane")):
                    pass
            proxy.unblock()
            await sender.commit_transaction()


class TestPostgres:
    def test_template_dump_and_restore(self, server: LocalPostgres, database: str) -> None:
        server.execute("INSERT INTO seen VALUES (1)", database)
        backup = server.dump(database)
        copy = server.create_database(template=database)
        server.execute("INSERT INTO seen VALUES (2)", database)
        restored = server.restore(backup)
        found = [server.execute("SELECT n FROM seen", url) for url in (copy, restored)]
        assert found == [[{"n": 1}], [{"n": 1}]]
        for url in (copy, restored):
            server.drop_database(url)

    @pytest.mark.asyncio
    async def test_crash_keeps_what_was_committed(self, server: LocalPostgres, database: str) -> None:
        connection = await asyncpg.connect(dsn(database))
        await connection.execute("INSERT INTO seen VALUES (1)")
        server.restart(immediate=True)
        with pytest.raises(GONE):
            await connection.execute("INSERT INTO seen VALUES (2)")
        assert server.execute("SELECT n FROM seen", database) == [{"n": 1}]


@pytest.mark.asyncio
class TestPostgresProxy:
    """A driver's transaction meets each fault at its COMMIT."""

    async def insert(self, database: str, wire: PostgresProxy) -> None:
        connection = await asyncpg.connect(dsn(through(database, wire.port)))
        try:
            async with connection.transaction():
                await connection.execute("INSERT INTO seen SELECT $1", 1)
        finally:
            connection.terminate()

    def rows(self, server: LocalPostgres, database: str) -> int:
        return len(server.execute("SELECT n FROM seen", database))

    async def test_passes_everything(self, server: LocalPostgres, database: str, wire: PostgresProxy) -> None:
        await self.insert(database, wire)
        assert (wire.counts["BEGIN"], wire.counts[COMMIT]) == (1, 1)
        assert self.rows(server, database) == 1

    async def test_lost_answer_is_committed(self, server: LocalPostgres, database: str, wire: PostgresProxy) -> None:
        fault = wire.lose_answer(COMMIT)
        with pytest.raises(GONE):
            await self.insert(database, wire)
        assert fault.fired.wait(5)
        assert self.rows(server, database) == 1

    async def test_lost_request_is_rolled_back(self, server: LocalPostgres, database: str, wire: PostgresProxy) -> None:
        fault = wire.lose_request(COMMIT)
        with pytest.raises(GONE):
            await self.insert(database, wire)
        assert fault.fired.is_set()
        assert self.rows(server, database) == 0

    async def test_held_commit_lands_later(self, server: LocalPostgres, database: str, wire: PostgresProxy) -> None:
        fault = wire.hold_request(COMMIT)
        with pytest.raises(GONE):
            await self.insert(database, wire)
        assert fault.fired.is_set()
        assert self.rows(server, database) == 0
        fault.release()
        assert fault.delivered.wait(5)
        assert self.rows(server, database) == 1

    async def test_held_commit_is_refused_to_an_ended_session(
        self, server: LocalPostgres, database: str, wire: PostgresProxy
    ) -> None:
        fault = wire.hold_request(COMMIT)
        with pytest.raises(GONE):
            await self.insert(database, wire)
        server.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE state = 'idle in transaction'"
        )
        fault.release()
        assert not fault.delivered.wait(0.3)
        assert self.rows(server, database) == 0
