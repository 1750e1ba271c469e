"""The broker's `server.properties`: a county's broker made small, quick to start and safe on one machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

MIB = 1024 * 1024

FIXED: dict[str, str | int] = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXY:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # Topics come from schemas/topics; a misspelt one must fail, not appear.
    "auto.create.topics.enable": "false",
    # "Now" in every lane is the broker's time.
    "log.message.timestamp.type": "LogAppendTime",
    # Reject topics take 2 MiB of original bytes, and headers come on top.
    "message.max.bytes": 2 * MIB + 256 * 1024,
    # One node: nothing to replicate to. Few internal partitions: the first transaction need not wait for fifty.
    "default.replication.factor": 1,
    "min.insync.replicas": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    # A demonstration left alone for months must find its place again, or every lane would refuse to start.
    "offsets.retention.minutes": 365 * 24 * 60,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1_000,
    # A producer that died in a transaction holds its partitions for its own time-out, not for ten seconds more.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
    # After a crash the node is let in again only when its old self's session has run out.
    "broker.heartbeat.interval.ms": 500,
    "broker.session.timeout.ms": 3_000,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "num.recovery.threads.per.data.dir": 2,
    "log.cleaner.dedupe.buffer.size": 8 * MIB,
    "log.cleaner.io.buffer.size": 256 * 1024,
    "log.segment.delete.delay.ms": 1_000,
    # Memory-mapped and preallocated for each open segment of each partition: enough for 512 MiB of log.
    "log.index.size.max.bytes": MIB,
    "log.segment.bytes": 256 * MIB,
}


def server_properties(
    logs: Path,
    *,
    port: int,
    controller_port: int,
    proxied_port: int | None,
    advertised_proxy_port: int | None,
    secured_port: int | None = None,
    passwords: Mapping[str, str] | None = None,
    certificate: Path | None = None,
) -> str:
    """The file's text. A client that came in by the PROXY listener is told to stay on the proxy's port.

    By the SECURED one (SASL/PLAIN, `passwords` by user, TLS with `certificate`) a client may do what ACLs allow it and no more;
    by the others, all.
    """
    listeners = [f"PLAINTEXT://127.0.0.1:{port}"]
    advertised = list(listeners)
    if proxied_port is not None:
        listeners.append(f"PROXY://127.0.0.1:{proxied_port}")
        advertised.append(f"PROXY://127.0.0.1:{advertised_proxy_port}")
    secured: dict[str, str | int] = {}
    if secured_port is not None:
        listeners.append(f"SECURED://127.0.0.1:{secured_port}")
        advertised.append(f"SECURED://127.0.0.1:{secured_port}")
        secured = _secured(passwords or {}, certificate)
    listeners.append(f"CONTROLLER://127.0.0.1:{controller_port}")
    settings = (
        FIXED
        | secured
        | {
            "listeners": ",".join(listeners),
            "advertised.listeners": ",".join(advertised),
            "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
            "log.dirs": logs.as_posix(),
        }
    )
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def _secured(passwords: Mapping[str, str], certificate: Path | None) -> dict[str, str | int]:
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    users = " ".join(f'user_{name}="{password}"' for name, password in passwords.items())
    protocol, tls = "SASL_PLAINTEXT", {}
    if certificate is not None:
        protocol = "SASL_SSL"
        tls = {
            "listener.name.secured.ssl.keystore.type": "PEM",
            "listener.name.secured.ssl.keystore.location": certificate.resolve().as_posix(),
        }
    return {
        **tls,
        "listener.security.protocol.map": f"{FIXED['listener.security.protocol.map']},SECURED:{protocol}",
        "listener.name.secured.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.secured.plain.sasl.jaas.config": f"{module} required {users};",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        # Whoever comes in by a listener without a log-in, on loopback.
        "super.users": "User:ANONYMOUS",
    }
