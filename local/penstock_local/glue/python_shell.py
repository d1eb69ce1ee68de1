"""What a Python shell job has besides the script: its own Python, and DuckDB's S3 extension."""

from __future__ import annotations

from penstock_local.job_processes.run_folder import RunFolder
from penstock_local.runtimes.folder import Runtimes


def lay_out(runtimes: Runtimes, folder: RunFolder) -> None:
    """Put DuckDB's extensions where it finds them by itself: below the home folder."""
    extensions = folder.home / ".duckdb/extensions"
    extensions.parent.mkdir(parents=True)
    extensions.symlink_to(runtimes.duckdb_extensions)
