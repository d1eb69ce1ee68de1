"""The folder of one run, which is all of the machine that the run is given to write to."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock_local.job_processes.process import Lifeline

SHIM = Path(__file__).parent / "shim"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The places in a run's folder."""

    root: Path

    @classmethod
    def make(cls, root: Path) -> RunFolder:
        """Make the folder anew."""
        shutil.rmtree(root, ignore_errors=True)
        folder = cls(root)
        for part in (folder.work, folder.home, folder.scratch):
            part.mkdir(parents=True)
        return folder

    @property
    def work(self) -> Path:
        """The working directory."""
        return self.root / "work"

    @property
    def home(self) -> Path:
        """The home folder."""
        return self.root / "home"

    @property
    def scratch(self) -> Path:
        """The folder for temporary files."""
        return self.root / "tmp"

    @property
    def modules(self) -> Path:
        """Where modules fetched from S3 lie."""
        return self.root / "modules"

    @property
    def script(self) -> Path:
        """The folder of the script alone, which Python puts first on its path."""
        return self.root / "script"

    @property
    def stdout(self) -> Path:
        """Where the process writes its output."""
        return self.root / "stdout"

    @property
    def stderr(self) -> Path:
        """Where the process writes its errors."""
        return self.root / "stderr"

    @property
    def failure(self) -> Path:
        """Where a failed script's error message is written."""
        return self.root / "failure"

    def environment(self, python: Path, modules: list[Path]) -> dict[str, str]:
        """What every job process is told of this machine: next to nothing."""
        path = [str(python.parent), *os.environ.get("PATH", os.defpath).split(os.pathsep)]
        return {
            "PATH": os.pathsep.join(dict.fromkeys(path)),
            "HOME": str(self.home),
            "TMPDIR": str(self.scratch),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONPATH": os.pathsep.join(map(str, [*modules, SHIM])),
            "PYTHONUNBUFFERED": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def boot(self, lifeline: Lifeline, java: dict[str, Any] | None = None) -> Path:
        """Write what `penstock_boot` is told about the run."""
        plan: dict[str, Any] = {"lifeline": lifeline.reader, "failure": str(self.failure)}
        if java:
            plan["java"] = java
        path = self.root / "boot.json"
        path.write_text(json.dumps(plan))
        return path

    def remove(self) -> None:
        """Remove all of it."""
        # A process that is being killed may still put a file into a folder being removed.
        for _ in range(20):
            shutil.rmtree(self.root, ignore_errors=True)
            if not self.root.exists():
                return
            time.sleep(0.05)
