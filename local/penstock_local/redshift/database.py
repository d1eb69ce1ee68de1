"""One Redshift database: a DuckDB file, or memory, with the catalog that Redshift would show."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from urllib.parse import quote as quote_for_path

import duckdb

from penstock_local.redshift.place import Place
from penstock_local.redshift.session import DEFAULT_SCHEMA, Folders, Session
from penstock_local.redshift.words import literal, quote

MEMORY_LIMIT = "1GB"
THREADS = 2
ASYNC_THREADS = 1
# DuckDB's own catalogs; a Redshift database of such a name is kept under another one.
_RESERVED = frozenset({"memory", "system", "temp", "main"})


@cache
def _prelude() -> str:
    return Path(__file__).with_name("prelude.sql").read_text(encoding="utf-8")


def database_file(folder: Path, place: Place) -> Path:
    """Where the data of a database lie."""
    return warehouse_folder(folder, place) / f"{quote_for_path(place.database, safe='')}.duckdb"


def warehouse_folder(folder: Path, place: Place) -> Path:
    """Where the databases of a workgroup or cluster lie."""
    return folder / place.account / place.region / f"{place.kind}-{place.warehouse}"


class Database:
    """A database that is opened at its first use and may be closed whenever nobody uses it."""

    def __init__(self, place: Place, file: Path | None, folders: Folders) -> None:
        self.place = place
        self._file = file
        self._folders = folders
        self._catalog = (
            f"{place.database}_database" if place.database in _RESERVED else place.database
        )
        self._root: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether DuckDB holds memory and file handles for it."""
        return self._root is not None

    @property
    def is_in_memory(self) -> bool:
        """Whether closing it would lose its data."""
        return self._file is None

    def session(self, user: str) -> Session:
        """A new connection, with temporary tables of its own."""
        with self._lock:
            root = self._opened()
            connection = root.cursor()
        return Session(self.place, connection, self._catalog, self._folders, user)

    def close(self) -> None:
        """Let go of memory and file."""
        with self._lock:
            root, self._root = self._root, None
        if root is not None:
            root.close()

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._root is None:
            self._root = self._open()
        return self._root

    def _open(self) -> duckdb.DuckDBPyConnection:
        """Attach the file to an instance that may touch nothing else but the staging folder."""
        root = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": MEMORY_LIMIT,
                "threads": THREADS,
                "async_threads": ASYNC_THREADS,
                "temp_directory": str(self._folders.staging / "spill"),
                "python_enable_replacements": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        target = ":memory:"
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            target = str(self._file)
        catalog = quote(self._catalog)
        root.execute(f"ATTACH {literal(target)} AS {catalog}")
        root.execute(f"CREATE SCHEMA IF NOT EXISTS {catalog}.{quote(DEFAULT_SCHEMA)}")
        root.execute(f"USE {catalog}")
        root.execute(_prelude())
        root.execute(f"SET allowed_directories = [{literal(str(self._folders.staging))}]")
        root.execute("SET enable_external_access = false")
        return root
