"""Runs the demo and keeps what it prints as a picture: docs/demo.svg, for the README.

python docs/record_demo.py
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console

from penstock_cli.demo import run_demo

PICTURE = Path(__file__).with_name("demo.svg")
COLUMNS = 100


def main() -> int:
    """Run the demo as in a log, without the moving table, and export the lines."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), color_system="truecolor")
    status = run_demo(console, data=None, port=None)
    PICTURE.write_text(console.export_svg(title="make demo"))
    return status


if __name__ == "__main__":
    sys.exit(main())
