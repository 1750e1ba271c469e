"""`python -m services.cli.broker install | lock`."""

from __future__ import annotations

import sys

from services.cli.broker.jars import BrokerError, install_jars, write_lock
from services.cli.broker.node import cache_classes

USAGE = """usage: python -m services.cli.broker COMMAND
  install   fetch the jars named in deploy/kafka/jars.lock, verify them, and make their start quick
  lock      resolve the roots' dependencies again and rewrite the lock"""


def main(arguments: list[str]) -> int:
    """Returns the exit status: 0 done, 1 failed, 2 not understood."""
    commands = {"install": lambda: f"{install_jars()}, {cache_classes()}", "lock": write_lock}
    if len(arguments) != 1 or arguments[0] not in commands:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        print(commands[arguments[0]]())
    except BrokerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
