"""`ipvi`: one command, mounted from its modules. Errors of ours are one line on standard error and exit code 2."""

from __future__ import annotations

import sys

import typer

from schemas.yaml_file import YamlError
from services.cli.acls import acls_command
from services.cli.agencies import app as agencies
from services.cli.broker.jars import BrokerError
from services.cli.contract import page_command
from services.cli.export import export_command
from services.cli.identity import app as identity
from services.cli.ingest import ingest_command
from services.cli.letters import app as letters
from services.cli.measures import measures_command
from services.cli.offsets import mend_command
from services.cli.parked import app as parked
from services.cli.partners import app as partners
from services.cli.policy import app as policy
from services.cli.reads import app as reads
from services.cli.rebase import rebase_command
from services.cli.reconcile import reconcile_command
from services.cli.replay import replay_command
from services.cli.run import run_command
from services.cli.serve import migrate_command, serve_command
from services.cli.simulate.command import simulate_command
from services.common import logs
from services.common.errors import IpviError

app = typer.Typer(
    name="ipvi",
    help="Intimate Partner Violence Intervention: incidents to tiers, notices to offenders, outreach to victims.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(run_command)
app.command("ingest")(ingest_command)
app.command("replay")(replay_command)
app.command("simulate")(simulate_command)
app.command("serve")(serve_command)
app.command("migrate")(migrate_command)
app.command("reconcile")(reconcile_command)
app.command("export")(export_command)
app.command("measures")(measures_command)

offsets = typer.Typer(help="Offsets that Kafka lost, and logs that are not what they were.", no_args_is_help=True)
offsets.command("mend")(mend_command)
offsets.command("rebase")(rebase_command)
app.add_typer(offsets, name="offsets")
topics = typer.Typer(help="Who may read and write which topic.", no_args_is_help=True)


@topics.callback()
def _topics() -> None:
    """A group, though it has one command."""


topics.command("acls")(acls_command)
app.add_typer(topics, name="topics")
contract = typer.Typer(help="What is on the topics, for whoever reads them.", no_args_is_help=True)


@contract.callback()
def _contract() -> None:
    """A group, though it has one command."""


contract.command("page")(page_command)
app.add_typer(contract, name="contract")
app.add_typer(partners, name="partners")
app.add_typer(parked, name="parked")
app.add_typer(agencies, name="agencies")
app.add_typer(identity, name="identity")
app.add_typer(policy, name="policy")
app.add_typer(reads, name="reads")
app.add_typer(letters, name="letters")


def main() -> None:
    """The entry point."""
    logs.quieten()
    try:
        app()
    except (IpviError, YamlError, BrokerError) as failed:
        print(f"ipvi: {failed}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
