"""Where the runtimes lie, and what a job run takes from there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PREPARE = "python -m penstock_local.runtimes"


class RuntimeMissingError(Exception):
    """Something that job runs need has not been prepared; the text names the command."""


@dataclass(frozen=True, slots=True)
class Runtimes:
    """The folder that `python -m penstock_local.runtimes` fills and job runs read."""

    root: Path

    @property
    def python_shell(self) -> Path:
        """The Python that runs Python shell jobs."""
        return self._existing(self.root / "python_shell/bin/python", "Python shell jobs need it")

    @property
    def duckdb_extensions(self) -> Path:
        """DuckDB's folder of extensions, `<version>/<platform>/httpfs.duckdb_extension` in it."""
        return self.root / "duckdb_extensions"

    @property
    def java(self) -> Path:
        """The Java that runs Spark."""
        found = self.record("java").get("executable", "")
        return self._existing(Path(found) if found else self.root / "java", "Spark jobs need it")

    @property
    def spark_class_path(self) -> list[Path]:
        """Spark's own jars and the S3A connector, always in the same order.

        The order matters to the class archive, which fits only the class path it was made with.
        """
        own = [
            self._existing(self.s3a_jar(name), "Spark jobs need it")
            for name in ("hadoop-aws", "aws-sdk")
        ]
        return [*sorted((spark_home() / "jars").glob("*.jar")), *own]

    @property
    def class_archive(self) -> Path:
        """Spark's classes in the form that the JVM maps instead of loading (optional)."""
        return self.root / "spark/classes.jsa"

    def s3a_jar(self, name: str) -> Path:
        """The jar of `hadoop-aws` or `aws-sdk`."""
        return self.root / f"spark/{name}.jar"

    def record(self, step: str) -> dict[str, Any]:
        """What a step noted when it was done; empty when it has not been."""
        path = self._record_path(step)
        if not path.is_file():
            return {}
        noted: dict[str, Any] = json.loads(path.read_text())
        return noted

    def is_done(self, step: str, stamp: str) -> bool:
        """Whether a step has been done for exactly what `stamp` says."""
        return bool(self.record(step).get("stamp") == stamp)

    def done(self, step: str, stamp: str, **facts: str) -> None:
        """Note that a step is done, last of all, so that a broken one is done again."""
        self._record_path(step).parent.mkdir(parents=True, exist_ok=True)
        self._record_path(step).write_text(json.dumps({"stamp": stamp, **facts}))

    def _record_path(self, step: str) -> Path:
        return self.root / "prepared" / f"{step}.json"

    @staticmethod
    def _existing(path: Path, need: str) -> Path:
        if not path.exists():
            raise RuntimeMissingError(f"{path} is missing. {need}: run `{PREPARE}`")
        return path


def spark_home() -> Path:
    """The folder of the project's own pyspark."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise RuntimeMissingError("pyspark is not installed in the project's environment")
    return Path(spec.origin).parent
