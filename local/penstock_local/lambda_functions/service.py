"""Puts the pool of execution environments in the place of ministack's workers."""

from __future__ import annotations

import atexit
import hashlib
import io
import json
import os
import shutil
import sysconfig
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc

from penstock_local import pins
from penstock_local.lambda_functions.environment import Answer, Function
from penstock_local.lambda_functions.pool import EnvironmentPool
from penstock_local.settings import LocalSettings

# What Lambda's Python runtime brings along; a function must ship everything else.
RUNTIME_PACKAGES = (
    "boto3",
    "botocore",
    "s3transfer",
    "urllib3",
    "jmespath",
    "dateutil",
    "six.py",
)


def install(settings: LocalSettings) -> None:
    """Run Python functions on the bounded pool; other runtimes stay with ministack."""
    functions = PythonFunctions(settings)
    pins.require(hasattr(lambda_svc, "_invoke_depth"), "lambda_svc._invoke_depth")
    pins.require(hasattr(lambda_runtime, "execution_credentials"), "execution_credentials")
    pins.require(hasattr(lambda_svc, "_resolve_layer_zip"), "lambda_svc._resolve_layer_zip")
    original = pins.replace(lambda_svc, "_execute_function_warm", functions.execute)
    functions.other_runtimes = original
    original_invalidate = pins.replace(lambda_svc, "invalidate_worker", functions.invalidate)
    functions.invalidate_other_runtimes = original_invalidate
    atexit.register(functions.pool.stop)


@dataclass
class PythonFunctions:
    """Runs the functions of the Python runtimes."""

    settings: LocalSettings
    other_runtimes: Any = None
    invalidate_other_runtimes: Any = None

    def __post_init__(self) -> None:
        self.pool = EnvironmentPool(self.settings.lambda_workers)
        self._folder = self.settings.home / "lambda"
        self._unpacking = threading.Lock()

    def execute(self, record: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        """Run one invocation, in the shape that ministack's executors answer."""
        config = record.get("config") or record
        if not str(config.get("Runtime", "")).startswith("python"):
            other: dict[str, Any] = self.other_runtimes(record, event, request_id)
            return other
        function = self._function(config, record["code_zip"])
        depth = lambda_svc._invoke_depth.get()
        with self.pool.lease(function, nested=(depth or 0) > 1) as environment:
            broken = None if environment.usable else environment.start()
            arn = config.get("FunctionArn", function.arn)
            answer = broken or environment.invoke(event, request_id, arn, depth)
        return _outcome(answer, request_id)

    def invalidate(self, name: str, qualifier: str | None = None, **scope: Any) -> None:
        """Forget the processes of a function that was changed or deleted."""
        region, account = scope.get("region") or get_region(), scope.get("account")
        account = account or get_account_id()
        self.pool.retire(f"arn:aws:lambda:{region}:{account}:function:{name}")
        self.invalidate_other_runtimes(name, qualifier=qualifier, **scope)

    def _function(self, config: dict[str, Any], code_zip: bytes) -> Function:
        name = config["FunctionName"]
        arn = f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{name}"
        layers = [lambda_svc._resolve_layer_zip(layer) for layer in config.get("Layers") or []]
        code = self._unpack(code_zip)
        return Function(
            arn=arn,
            handler=config.get("Handler", ""),
            code=code,
            layers=tuple(self._unpack(layer) / "python" for layer in layers if layer),
            runtime_packages=self._runtime_packages(),
            timeout=float(config.get("Timeout", 3)),
            variables=tuple(sorted(self._variables(config, name, code).items())),
        )

    def _variables(self, config: dict[str, Any], name: str, code: Path) -> dict[str, str]:
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}"
        own = (config.get("Environment") or {}).get("Variables") or {}
        credentials: dict[str, str] = lambda_runtime.execution_credentials(config)
        return {
            "PATH": os.environ.get("PATH", ""),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "AWS_ENDPOINT_URL": self.settings.endpoint,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
            **{key: str(value) for key, value in own.items()},
            **credentials,
            "AWS_REGION": get_region(),
            "AWS_DEFAULT_REGION": get_region(),
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
            "AWS_LAMBDA_LOG_GROUP_NAME": group,
            "AWS_LAMBDA_LOG_STREAM_NAME": "penstock-local",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "LAMBDA_TASK_ROOT": str(code),
            "_HANDLER": config.get("Handler", ""),
        }

    def _unpack(self, archive: bytes) -> Path:
        """The folder that holds a zip's files; each zip is unpacked once."""
        target = self._folder / hashlib.sha256(archive).hexdigest()[:24]
        with self._unpacking:
            if not target.exists():
                partial = target.with_suffix(".partial")
                with zipfile.ZipFile(io.BytesIO(archive)) as files:
                    files.extractall(partial)
                partial.rename(target)
        return target

    def _runtime_packages(self) -> Path:
        """A folder with links to the packages of Lambda's runtime, and to nothing else."""
        target = self._folder / "runtime"
        with self._unpacking:
            if not target.exists():
                target.mkdir(parents=True)
                installed = Path(sysconfig.get_paths()["purelib"])
                for package in RUNTIME_PACKAGES:
                    (target / package).symlink_to(installed / package)
        return target


def clear(settings: LocalSettings) -> None:
    """Remove what an earlier instance unpacked."""
    shutil.rmtree(settings.home / "lambda", ignore_errors=True)


def _outcome(answer: Answer, request_id: str) -> dict[str, Any]:
    if answer.error is None:
        assert answer.payload is not None
        return {"body": json.loads(answer.payload), "log": answer.log}
    document = {**answer.error, "requestId": request_id}
    if "stackTrace" in document:
        document["stackTrace"] = document.pop("stackTrace")  # the last, as the runtime writes it
    trace = "".join(document.get("stackTrace") or [])
    log = f"{answer.log}[ERROR] {document['errorType']}: {document['errorMessage']}\n{trace}"
    return {"body": document, "error": True, "log": log}
