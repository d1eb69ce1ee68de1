"""Building the application and putting it on an instance of Penstock Local."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock_cli.errors import CommandError
from penstock_cli.local_instance import Instance

STACK_NAME = "penstock-local"
CONFIGURATION = ("--config-file", str(Path("samconfig.toml").resolve()), "--config-env", "local")
# What a shell may hold that would lead SAM away from the instance.
FOREIGN = ("AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_PROFILE")


@dataclass(frozen=True, slots=True)
class Deployment:
    """The stack as deployed: its outputs, and how long building and deploying took (seconds)."""

    outputs: dict[str, str]
    build_seconds: float
    deploy_seconds: float


def deploy(instance: Instance) -> Deployment:
    """Run `sam build` and `sam deploy` of the unmodified template against an instance.

    The parameters are those of the section `local` of samconfig.toml. Raises CommandError with
    SAM's own output when one of them fails.
    """
    log = instance.home.parent / f"{instance.home.name}.sam.log"
    log.unlink(missing_ok=True)
    build_folder = instance.home / "build"
    built = _sam(["build", "--build-dir", str(build_folder)], instance, log)
    command = ["deploy", "--template-file", str(build_folder / "template.yaml")]
    command += ["--stack-name", STACK_NAME, "--region", instance.region]
    deployed = _sam(command, instance, log)
    return Deployment(stack_outputs(instance.client("cloudformation")), built, deployed)


def stack_outputs(cloudformation: Any, stack_name: str = STACK_NAME) -> dict[str, str]:
    """The outputs of a deployed stack by their keys; CommandError where there is no such stack."""
    try:
        stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    except cloudformation.exceptions.ClientError as error:
        raise CommandError(
            f"there is no stack {stack_name} here ({error}): deploy it with `make deploy`, "
            "or name another with --stack"
        ) from error
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}


def _sam(arguments: list[str], instance: Instance, log: Path) -> float:
    started = time.monotonic()
    env = {key: value for key, value in os.environ.items() if key not in FOREIGN}
    # The pinned SAM CLI and uv, which it builds with, before any that the machine has.
    own = [str(Path(".tools/bin").resolve()), str(Path(sys.executable).parent)]
    path = os.pathsep.join([*own, env.get("PATH", "")])
    env.update(instance.environment(), SAM_CLI_TELEMETRY="0", PATH=path)
    sam = shutil.which("sam", path=path)
    if sam is None:
        raise CommandError("the SAM CLI is missing: `make setup` installs it")
    with log.open("ab") as output:
        command = [sam, *arguments, *CONFIGURATION]
        ended = subprocess.run(command, env=env, stdout=output, stderr=output, check=False)
    if ended.returncode != 0:
        tail = "\n".join(log.read_text().strip().splitlines()[-25:])
        raise CommandError(f"`sam {arguments[0]}` failed (all of it is in {log}):\n{tail}")
    return time.monotonic() - started
