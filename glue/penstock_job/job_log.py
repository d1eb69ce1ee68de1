"""The log of a job: its own lines, without the chatter of the libraries."""

from __future__ import annotations

import logging


def start() -> None:
    """Write the job's lines to standard error, where Glue takes them from."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    logging.getLogger("penstock_job").setLevel(logging.INFO)
