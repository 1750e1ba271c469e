"""docs/partners.md, *Plug in a consumer in ten minutes*, typed as it is printed there, by a shell.

Left out: the clone and `make install`, which ran before any test; and making the consumer an environment of its own with its
tests in it (tests/integration/test_partner_scaffold.py runs those): the one of this project stands in.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness.replicas import wait_for

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "partners.md").read_text("utf-8")
STEPS = PAGE[PAGE.index("## Plug in a consumer") : PAGE.index("Done so in a fresh clone")]
COMMANDS: list[str] = re.findall(r"`((?:[A-Z_]+=\S+ )*(?:\.venv/bin/|cd |git |make )[^`]+)`", STEPS)
"""In the order of the page."""
WHOLE = int(os.environ.get("IPVI_FAULT_SEEDS", "2")) > 2
"""With the steps that need the county to run: a minute of processor time, in `make fault`."""


def printed(part: str) -> str:
    [found] = [command for command in COMMANDS if part in command]
    return found


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What a clone has after `make install`, as far as these commands touch it."""
    folder = tmp_path / "clone"
    (folder / "partners").mkdir(parents=True)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    (folder / ".ipvi").mkdir()
    jars = Path(os.environ.get("IPVI_HOME", str(ROOT / ".ipvi"))).resolve() / "jars"
    (folder / ".ipvi" / "jars").symlink_to(jars)
    return folder


def typed(command: str, folder: Path) -> str:
    """What it says on standard output; fails where the command does."""
    words = ["/bin/sh", "-c", command]
    done = subprocess.run(words, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def environment(folder: Path) -> dict[str, str]:
    """`IPVI_HOME` is what it is by itself in the folder of the clone; jars are looked for there too."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("IPVI_", "KAFKA_", "DATABASE_"))}
    return {**given, "PYTHONPATH": str(ROOT), "IPVI_HOME": str(folder / ".ipvi")}


@contextmanager
def running(command: str, folder: Path, log: Path) -> Iterator[Path]:
    """Until the block ends, by Ctrl-C."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec env {command}"], cwd=folder, env=environment(folder),
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield log
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(40)
        finally:
            process.kill()


@pytest.fixture
def consumer(clone: Path, tmp_path: Path) -> Path:
    """Steps 2 and 4: the partner's file, tried, and the consumer that is made of it."""
    [block] = re.findall(r"```yaml\n(.*?)```", STEPS, re.DOTALL)
    (clone / "partners" / "probation.yaml").write_text(re.sub(r"^ {3}", "", block, flags=re.MULTILINE))
    assert "probation: probation, lists A, B, C, until" in typed(printed("partners check"), clone)
    assert 'ipvi.partner.decided.v1 every_field: {"' in typed(printed("partners test"), clone)
    typed(printed("partners new"), clone)
    made = tmp_path / "probation"
    assert printed("pip install").startswith(f"cd ../{made.name} && python3 -m venv .venv && ")
    (made / ".venv").symlink_to(Path(sys.prefix))
    return made


def test_the_page_from_its_second_step_on(clone: Path, consumer: Path, tmp_path: Path) -> None:
    assert (consumer / "probation" / "handlers.py").is_file()
    if WHOLE:
        to_its_last_step(clone, consumer, tmp_path)


def to_its_last_step(clone: Path, consumer: Path, tmp_path: Path) -> None:
    """Steps 3 and 6: the county runs, and what it decides comes to the consumer."""
    with running(printed("ipvi run"), clone, tmp_path / "run.log") as log:
        wait_for(lambda: "Kafka is at" in log.read_text(), 90, lambda: f"Kafka's address: {log.read_text()[-2000:]}")
        port = re.findall(r"Kafka is at 127\.0\.0\.1:(\d+)", log.read_text())[0]
        started = printed("-m probation").replace("PORT", port)
        with running(started, consumer, tmp_path / "consumer.log") as heard:
            ids = re.compile(r"\b[0-9a-f]{32}\b")
            wait_for(lambda: len(set(ids.findall(heard.read_text()))) > 5, 120, lambda: heard.read_text()[-2000:])
        home = f"KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:{port} IPVI_PARTNERS=partners"
        [line] = typed(f"{home} .venv/bin/ipvi partners status", clone).splitlines()
        standing = json.loads(line)
        assert (standing["partner"], standing["lapsed"], standing["sent"] > 0) == ("probation", False, True)
    assert "Traceback" not in log.read_text() + heard.read_text()
