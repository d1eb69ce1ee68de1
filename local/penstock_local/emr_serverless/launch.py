"""What a job run is started with: its files from S3, its command line, its environment."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from penstock_local.emr_serverless import spark_submit
from penstock_local.emr_serverless.job_run import JobRun
from penstock_local.job_processes import spark
from penstock_local.job_processes.job_files import JobFiles, LaunchError
from penstock_local.job_processes.process import Lifeline
from penstock_local.job_processes.role_session import RoleSession
from penstock_local.job_processes.run_folder import RunFolder
from penstock_local.runtimes.folder import Runtimes
from penstock_local.settings import LocalSettings

# What a person's configuration sets for a cluster, and this machine has its own of.
_OURS = ("spark.master", "spark.submit.deployMode", "spark.ui.enabled")
_DRIVER_VARIABLE = "spark.emr-serverless.driverEnv."
# Variables that name programs of EMR's image.
_OF_THE_IMAGE = ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON", "JAVA_HOME")


@dataclass(frozen=True)
class Launch:
    """Prepares the start of one job run; `say` puts a line into its error log."""

    run: JobRun
    folder: RunFolder
    session: RoleSession
    files: JobFiles
    local: LocalSettings
    runtimes: Runtimes
    say: Callable[[str], None]

    def prepare(
        self, asked: dict[str, str], lifeline: Lifeline
    ) -> tuple[list[str], dict[str, str]]:
        """Fetch everything; the command and the environment of the process.

        `asked` are the settings of the job run. Raises LaunchError or RuntimeMissingError.
        """
        submit = self._spark_submit()
        script = self.files.fetch(submit["entryPoint"], self.folder.script, "entry point")
        settings = {name: value for name, value in asked.items() if name not in _OURS}
        modules = self.files.fetch_python(
            spark_submit.listed(settings, "spark.submit.pyFiles"), self.folder.modules, "--py-files"
        )
        environment = self._environment(settings, modules)
        boot = self.folder.boot(lifeline, self._java(settings))
        words = submit.get("entryPointArguments") or []
        python = sys.executable
        return [python, "-m", "penstock_boot", str(boot), str(script), *words], environment

    def _spark_submit(self) -> dict[str, Any]:
        driver = self.run.record["jobDriver"]
        submit: dict[str, Any] | None = driver.get("sparkSubmit")
        if submit is None:
            raise LaunchError("Penstock Local runs Spark only, no Hive")
        if not submit["entryPoint"].endswith(".py"):
            raise LaunchError(
                f"Penstock Local runs Python scripts only, not {submit['entryPoint']}"
            )
        return submit

    def _environment(self, settings: dict[str, str], modules: list[Path]) -> dict[str, str]:
        environment = self.folder.environment(Path(sys.executable), modules)
        for name in [name for name in settings if name.startswith(_DRIVER_VARIABLE)]:
            variable, value = name.removeprefix(_DRIVER_VARIABLE), settings.pop(name)
            if variable in _OF_THE_IMAGE:
                self.say(f"Penstock Local: {variable}={value} is not used")
            else:
                environment[variable] = value
        return {**environment, **self.session.environment(), **spark.environment(self.folder)}

    def _java(self, settings: dict[str, str]) -> dict[str, Any]:
        if packages := settings.pop("spark.jars.packages", None):
            raise LaunchError(
                f"Penstock Local downloads no {packages}: put jars into S3 and name them in --jars"
            )
        for archive in spark_submit.listed(settings, "spark.archives"):
            self.say(
                f"Penstock Local: {archive} is not unpacked; its modules have to be in the "
                "project's environment, in which Spark jobs run"
            )
        for location in spark_submit.listed(settings, "spark.files"):
            self.files.fetch(location, self.folder.work, "file of --files")
        jars = [
            self.files.fetch(location, self.folder.root / "jars", "file of --jars")
            for location in spark_submit.listed(settings, "spark.jars")
        ]
        self._cap_memory(settings)
        name = self.run.record.get("name") or self.run.id
        all_settings = spark.settings(self.local, self.folder, name, settings)
        return spark.java(self.runtimes, self.folder, all_settings, self.session.region, jars)

    def _cap_memory(self, settings: dict[str, str]) -> None:
        """A driver sized for EMR's workers gets at most half of this machine."""
        asked = settings.get("spark.driver.memory")
        if asked is None:
            return
        half = psutil.virtual_memory().total // 2 // 2**20
        if spark.mebibytes(asked) > half:
            self.say(f"Penstock Local: the driver has {half} MB, not the {asked} asked for")
            settings["spark.driver.memory"] = f"{half}m"
