"""Runs the demo and keeps what it prints as a picture: docs/demo.svg, for the README.

python docs/record_demo.py
"""

from __future__ import annotations

import io
import re
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
    svg = console.export_svg(title="make demo")
    # rich names a web font; a picture in a README is to load nothing from elsewhere.
    PICTURE.write_text(re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL))
    return status


if __name__ == "__main__":
    sys.exit(main())
