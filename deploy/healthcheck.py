"""For a container's health check: 0 if the service beside it answers `/health` (or the path given) with 200, else 1.

Asks with the operator's token in the file `IPVI_HEALTH_TOKEN_FILE`. Says only a status, for logs that others read.
"""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection
from pathlib import Path


def main(path: str = "/health") -> int:
    """Returns the exit status."""
    port = os.environ.get("IPVI_API_PORT", "8080")
    try:
        token = Path(os.environ["IPVI_HEALTH_TOKEN_FILE"]).read_text("utf-8").strip()
        connection = HTTPConnection("127.0.0.1", int(port), timeout=4)
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        status = connection.getresponse().status
    except KeyError:
        print("IPVI_HEALTH_TOKEN_FILE is not set")
        return 1
    except OSError as failed:
        print(type(failed).__name__)
        return 1
    print(status)
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
