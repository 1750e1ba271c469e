"""`ipvi` as it is typed: what it says, and its exit code."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple
from unittest.mock import patch

from services.cli.main import main


class Said(NamedTuple):
    """Of one command."""

    code: int
    out: str
    err: str


def ipvi(*words: str, env: Mapping[str, str] | None = None) -> Said:
    """By the entry point, so that errors are what a person sees; without another interpreter, which takes seconds."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        patch.object(sys, "argv", ["ipvi", *words]), patch.dict("os.environ", env or {}),
        redirect_stdout(out), redirect_stderr(err),
    ):  # fmt: skip
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
    assert isinstance(code, int)
    return Said(code, out.getvalue(), err.getvalue())
