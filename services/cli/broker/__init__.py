"""An embedded Apache Kafka, the real one: a Java runtime from PyPI, jars from a committed lock, one KRaft node on loopback.

`make run` and the tests use it, so that nothing behaves differently from a county's cluster: transactions, fencing,
rebalances and isolation levels are Kafka's own. Jars are fetched at set-up only (`python -m services.cli.broker install`).
"""

from services.cli.broker.jars import BrokerError, install_jars
from services.cli.broker.node import EmbeddedBroker

__all__ = ["BrokerError", "EmbeddedBroker", "install_jars"]
