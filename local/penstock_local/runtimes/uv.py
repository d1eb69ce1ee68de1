"""Packages from PyPI through uv, without a trace outside the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


class PreparationError(Exception):
    """A runtime cannot be prepared; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Uv:
    """The uv command, with its cache and its temporary files in `scratch`.

    It is looked for when it is first needed: at the place named, in the repository, on PATH.
    """

    repository: Path
    scratch: Path
    named: Path | None = None

    def make_environment(self, folder: Path, python: Path) -> None:
        """Make a virtual environment of the given Python, in place of what is there."""
        self._run("venv", "--quiet", "--clear", "--python", str(python), str(folder))

    def install(self, python: Path, *packages: str) -> None:
        """Install packages and what they need into the environment of `python`."""
        self._run("pip", "install", "--quiet", "--python", str(python), *packages)

    def unpack(self, package: str, folder: Path) -> None:
        """Unpack one package, without what it needs, into a folder of its own; not cached."""
        target = ("--target", str(folder), "--python", sys.executable)
        self._run("pip", "install", "--quiet", "--no-deps", "--no-cache", *target, package)

    def _run(self, *arguments: str) -> None:
        (self.scratch / "tmp").mkdir(parents=True, exist_ok=True)
        environment = {
            "UV_CACHE_DIR": str(self.scratch / "uv"),
            "UV_HTTP_TIMEOUT": "300",
            **os.environ,
            "TMPDIR": str(self.scratch / "tmp"),
            "UV_PYTHON_DOWNLOADS": "never",
        }
        environment.pop("VIRTUAL_ENV", None)
        done = subprocess.run(
            [str(self._executable()), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            command = " ".join(["uv", *arguments])
            raise PreparationError(f"`{command}` failed:\n{done.stderr.strip()}")

    def _executable(self) -> Path:
        if self.named is not None:
            return self.named
        on_path = shutil.which("uv")
        candidates = [
            self.repository / ".venv/bin/uv",
            self.repository / ".tools/uv",
            *([Path(on_path)] if on_path else []),
        ]
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        looked = ", ".join(map(str, candidates))
        raise PreparationError(f"uv was not found (looked at {looked}); name it with --uv")
