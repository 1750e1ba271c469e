"""`python -m tests.harness.unclocked serve SERVICE`: as `ipvi serve`, with all that reaches people but without its own clock.

A test that ticks the lanes itself can let hours pass in no time, and see who is called.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import Any

from services.cli.registry import SERVICES
from services.common import logs
from services.common.settings import CommonSettings, settings_or_error

if __name__ == "__main__":
    logs.configure(sys.argv[2])
    without: dict[str, Any] = {"tick": None}
    part = replace(SERVICES[sys.argv[2]], **without)
    asyncio.run(part.replica(settings_or_error(CommonSettings)).run())
