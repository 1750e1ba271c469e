"""`ipvi`: one command, mounted from its modules. Errors of ours are one line on standard error and exit code 2."""

from __future__ import annotations

import sys

from schemas.yaml_file import YamlError
from services.cli import lazy
from services.common import logs
from services.common.errors import IpviError

offsets = lazy.group(
    {"mend": "services.cli.offsets:mend_command", "rebase": "services.cli.rebase:rebase_command"},
    help="Offsets that Kafka lost, and logs that are not what they were.",
)
topics = lazy.group({"acls": "services.cli.acls:acls_command"}, help="Who may read and write which topic.")
contract = lazy.group(
    {"page": "services.cli.contract:page_command"}, help="What is on the topics, for whoever reads them."
)
app = lazy.group(
    {
        "run": "services.cli.run:run_command",
        "ingest": "services.cli.ingest:ingest_command",
        "replay": "services.cli.replay:replay_command",
        "simulate": "services.cli.simulate.command:simulate_command",
        "serve": "services.cli.serve:serve_command",
        "migrate": "services.cli.serve:migrate_command",
        "reconcile": "services.cli.reconcile:reconcile_command",
        "export": "services.cli.export:export_command",
        "measures": "services.cli.measures:measures_command",
        "offsets": offsets,
        "topics": topics,
        "contract": contract,
        "partners": "services.cli.partners:app",
        "parked": "services.cli.parked:app",
        "agencies": "services.cli.agencies:app",
        "identity": "services.cli.identity:app",
        "policy": "services.cli.policy:app",
        "reads": "services.cli.reads:app",
        "letters": "services.cli.letters:app",
    },
    name="ipvi",
    help="Intimate Partner Violence Intervention: incidents to tiers, notices to offenders, outreach to victims.",
)


def main() -> None:
    """The entry point."""
    logs.quieten()
    try:
        app()
    except (IpviError, YamlError) as failed:
        print(f"ipvi: {failed}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
