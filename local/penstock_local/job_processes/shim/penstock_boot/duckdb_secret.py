"""Gives DuckDB the job role's credentials for `s3://` paths, when a script first imports it.

DuckDB keeps secrets in the home folder, which belongs to this job run and is removed with it. So
every connection of the script has them, and the script needs no line for it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.abc
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit


def make_on_import() -> None:
    """Have the secret made as soon as duckdb is imported, if it ever is."""
    sys.meta_path.insert(0, _Finder())


def make(duckdb: Any) -> None:
    """Store the credentials of the environment as DuckDB's secret for S3."""
    endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    options = {
        "KEY_ID": os.environ["AWS_ACCESS_KEY_ID"],
        "SECRET": os.environ["AWS_SECRET_ACCESS_KEY"],
        "SESSION_TOKEN": os.environ["AWS_SESSION_TOKEN"],
        "REGION": os.environ["AWS_REGION"],
        "ENDPOINT": endpoint.netloc,
        "URL_STYLE": "path",
        "USE_SSL": str(endpoint.scheme == "https").lower(),
    }
    pairs = ", ".join(f"{name} '{value}'" for name, value in options.items())
    try:
        duckdb.execute(f"CREATE OR REPLACE PERSISTENT SECRET job_role (TYPE s3, {pairs})")
    except duckdb.Error as error:
        sys.stderr.write(f"DuckDB has no s3:// paths in this run: {error}\n")
    else:
        _load_in_every_connection(duckdb)


def _load_in_every_connection(duckdb: Any) -> None:
    """Have the extension there from the start.

    DuckDB loads it by itself when a path is opened, but not for what comes before in a COPY into
    several files.
    """
    original = duckdb.connect

    @functools.wraps(original)
    def connect(*arguments: Any, **named: Any) -> Any:
        connection = original(*arguments, **named)
        with contextlib.suppress(duckdb.Error):  # a configuration may forbid it
            connection.load_extension("httpfs")
        return connection

    duckdb.connect = connect


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self,
        fullname: str,
        _path: Sequence[str] | None,
        _target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname != "duckdb":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        make(module)
