"""The project that `ipvi partners new` makes, on a real broker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from schemas.partner_file import FOLDER, load_partner
from services.cli.partners.new import write
from tests.harness import kafka


def test_its_own_tests_pass_on_a_real_broker(tmp_path: Path) -> None:
    write(load_partner(FOLDER / "district-attorney.yaml"), tmp_path)
    with kafka.broker() as bootstrap:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
            cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "KAFKA_BOOTSTRAP_SERVERS": bootstrap},
            capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
