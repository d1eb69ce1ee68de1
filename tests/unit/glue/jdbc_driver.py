"""The JDBC driver of PostgreSQL, which Glue has and pip's pyspark has not."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

PACKAGE = "libpostgresql-jdbc-java"
INSTALLED = Path("usr/share/java/postgresql.jar")
KEPT = Path(__file__).parents[3] / ".penstock/cache/postgresql-jdbc.jar"


@cache
def postgresql_driver() -> Path | None:
    """Debian's driver: installed, or fetched once with apt-get; None where there is neither."""
    system = Path("/") / INSTALLED
    if system.is_file():
        return system
    if not KEPT.is_file() and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        with tempfile.TemporaryDirectory() as folder:
            _fetch(Path(folder))
    return KEPT if KEPT.is_file() else None


def _fetch(folder: Path) -> None:
    done = subprocess.run(
        ["apt-get", "download", "-qq", PACKAGE], cwd=folder, capture_output=True, check=False
    )
    packages = list(folder.glob("*.deb"))
    if done.returncode != 0 or not packages:
        return
    subprocess.run(["dpkg-deb", "-x", packages[0], folder / "unpacked"], check=True)
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / "unpacked" / INSTALLED, KEPT)
