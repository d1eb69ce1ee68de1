"""Serves the example's CSV files until it is ended: `python -m penstock_cli.source_server`.

Prints the base URL as its first line. An argument names a folder; without one it is the sample.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from penstock_cli import sample_sources


def main() -> None:
    """Serve until SIGTERM."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with sample_sources.serve(folder) as url:
        sys.stdout.write(url + "\n")
        sys.stdout.flush()
        while True:
            signal.pause()


if __name__ == "__main__":
    main()
