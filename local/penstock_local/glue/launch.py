"""What a run is started with: its files from S3, its command line, its environment."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock_local.glue import arguments, python_modules, python_shell
from penstock_local.glue.job_definition import is_python_shell
from penstock_local.glue.job_run import JobRun
from penstock_local.job_processes import spark
from penstock_local.job_processes.job_files import JobFiles, LaunchError
from penstock_local.job_processes.process import Lifeline
from penstock_local.job_processes.role_session import RoleSession
from penstock_local.job_processes.run_folder import RunFolder
from penstock_local.runtimes.folder import Runtimes
from penstock_local.settings import LocalSettings

SHIM = Path(__file__).parent / "shim"
RUNNABLE = ("pythonshell", "glueetl", "gluestreaming")


@dataclass(frozen=True)
class Launch:
    """Prepares the start of one run; `say` puts a line into its error log."""

    run: JobRun
    folder: RunFolder
    session: RoleSession
    files: JobFiles
    local: LocalSettings
    runtimes: Runtimes
    say: Callable[[str], None]

    def prepare(self, lifeline: Lifeline) -> tuple[list[str], dict[str, str]]:
        """Fetch everything; the command and the environment of the process.

        Raises LaunchError or RuntimeMissingError.
        """
        name = self.run.job["Command"].get("Name")
        if name not in RUNNABLE:
            raise LaunchError(f"LAUNCH ERROR | Penstock Local does not run {name} jobs")
        python = self.runtimes.python_shell if self._is_shell else Path(sys.executable)
        location = self.run.job["Command"].get("ScriptLocation", "")
        script = self.files.fetch(location, self.folder.script, "script")
        environment = self.folder.environment(python, [*self._modules(), SHIM])
        environment |= self.session.environment()
        for location in self._listed("--extra-files"):
            self.files.fetch(location, self.folder.work, "file of --extra-files")
        if self._is_shell:
            python_shell.lay_out(self.runtimes, self.folder)
            boot = self.folder.boot(lifeline)
        else:
            environment |= spark.environment(self.folder)
            boot = self.folder.boot(lifeline, self._java())
        words = arguments.command_line(self.run.job, self.run.id, self.run.arguments)
        return [str(python), "-m", "penstock_boot", str(boot), str(script), *words], environment

    @property
    def _is_shell(self) -> bool:
        return is_python_shell(self.run.job)

    def _listed(self, argument: str) -> list[str]:
        return arguments.listed(self.run.arguments, argument)

    def _modules(self) -> list[Path]:
        """What belongs on Python's path, from both arguments that name modules."""
        additional = self._listed("--additional-python-modules")
        in_s3 = [wanted for wanted in additional if wanted.startswith("s3://")]
        for wanted in in_s3:
            if not wanted.endswith((".whl", ".zip", ".py")):
                raise LaunchError(f"LAUNCH ERROR | {wanted} is not a Python module or wheel")
        for wanted in additional:
            if wanted not in in_s3:
                self._require_module(wanted)
        wanted_files = [*self._listed("--extra-py-files"), *in_s3]
        return self.files.fetch_python(wanted_files, self.folder.modules, "--extra-py-files")

    def _require_module(self, wanted: str) -> None:
        problem, harmless = python_modules.unmet(wanted, self._site_packages())
        if problem and not harmless:
            remedy = (
                f"Install it with `python -m penstock_local.runtimes --module '{wanted}'`"
                if self._is_shell
                else "Add it to the project's environment, in which Spark jobs run"
            )
            raise LaunchError(f"LAUNCH ERROR | {problem}. {remedy}")
        if problem:
            self.say(f"Penstock Local: {problem}")

    def _site_packages(self) -> list[Path]:
        if not self._is_shell:
            return [Path(entry) for entry in sys.path if entry]
        return list(self.runtimes.python_shell.parents[1].glob("lib/python*/site-packages"))

    def _java(self) -> dict[str, Any]:
        formats = self._listed("--datalake-formats")
        jars = [
            self.files.fetch(location, self.folder.root / "jars", "file of --extra-jars")
            for location in self._listed("--extra-jars")
        ]
        if formats and not jars:
            raise LaunchError(
                f"LAUNCH ERROR | Penstock Local has no jars for {', '.join(formats)} "
                "(--datalake-formats); put them into S3 and name them with --extra-jars"
            )
        asked = arguments.spark_settings(self.run.arguments)
        settings = spark.settings(self.local, self.folder, self.run.job["Name"], asked)
        return spark.java(self.runtimes, self.folder, settings, self.session.region, jars)
