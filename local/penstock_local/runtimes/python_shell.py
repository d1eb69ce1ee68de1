"""The environment of Python shell jobs: Python 3.9 where the machine has one, DuckDB with S3."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from penstock_local.runtimes.folder import Runtimes
from penstock_local.runtimes.uv import PreparationError, Uv
from penstock_local.runtimes.versions import DUCKDB_HTTPFS, PYTHON_SHELL

STEP = "python_shell"
WANTED = "3.9"  # the only Python that Glue's Python shell has

# Where DuckDB looks for an extension of its own release and platform.
_EXTENSION_FOLDER = (
    "import duckdb; "
    "print('v' + duckdb.__version__, duckdb.sql('PRAGMA platform').fetchone()[0], sep='/')"
)


def stamp(modules: Sequence[str]) -> str:
    """What the environment is made of, Python and packages."""
    return " ".join([str(find_python()), *PYTHON_SHELL, DUCKDB_HTTPFS, *sorted(modules)])


def prepare(runtimes: Runtimes, uv: Uv, modules: Sequence[str]) -> str:
    """Make the environment and lay the httpfs extension where DuckDB loads it from.

    Returns a line about it. Raises PreparationError.
    """
    python = find_python()
    folder = runtimes.root / "python_shell"
    uv.make_environment(folder, python)
    own = folder / "bin/python"
    uv.install(own, *PYTHON_SHELL, *modules)
    _lay_out_extension(runtimes, uv, own)
    return f"Python {version(python)}, {', '.join([*PYTHON_SHELL, *modules])}"


def find_python() -> Path:
    """A Python 3.9 (on PATH, or one that pyenv holds), else the one that runs this."""
    for candidate in _candidates():
        if version(candidate) == WANTED:
            return candidate
    return Path(sys.executable)


def version(python: Path) -> str:
    """`3.9`, or nothing when it is no Python that runs."""
    # pyenv's shims exist for every version, and fail for those that are not switched on.
    code = "import sys; print(*sys.version_info[:2], sep='.')"
    try:
        ran = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""


def _candidates() -> Iterator[Path]:
    on_path = shutil.which(f"python{WANTED}")
    if on_path:
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{WANTED}.*/bin/python"), reverse=True)


def _lay_out_extension(runtimes: Runtimes, uv: Uv, python: Path) -> None:
    unpacked = runtimes.root / "python_shell/duckdb_extension"
    uv.unpack(DUCKDB_HTTPFS, unpacked)
    found = next(unpacked.rglob("httpfs.duckdb_extension"), None)
    if found is None:
        raise PreparationError(f"{DUCKDB_HTTPFS} holds no httpfs.duckdb_extension")
    place = runtimes.duckdb_extensions / _output(python, _EXTENSION_FOLDER)
    shutil.rmtree(runtimes.duckdb_extensions, ignore_errors=True)
    place.mkdir(parents=True)
    shutil.move(found, place / found.name)
    shutil.rmtree(unpacked)
    _output(python, f"import duckdb; duckdb.sql(\"LOAD '{place / found.name}'\")")


def _output(python: Path, code: str) -> str:
    ran = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise PreparationError(f"DuckDB does not work in {python}:\n{ran.stderr.strip()}")
    return ran.stdout.strip()
