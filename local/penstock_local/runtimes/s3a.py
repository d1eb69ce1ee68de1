"""Hadoop's S3A connector, with which Spark reads and writes `s3://` paths."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from penstock_local.runtimes.folder import Runtimes
from penstock_local.runtimes.uv import PreparationError, Uv
from penstock_local.runtimes.versions import S3A, S3A_JARS

STEP = "s3a"

# Of the SDK's 200 services the connector needs these; a small jar opens faster.
SERVICES = ("s3", "securitytoken", "kms", "dynamodbv2")


def prepare(runtimes: Runtimes, uv: Uv) -> str:
    """Take the connector and the part of the AWS SDK that it needs out of their package.

    Returns what was taken. Raises PreparationError.
    """
    unpacked = runtimes.root / "s3a_package"
    shutil.rmtree(unpacked, ignore_errors=True)
    uv.unpack(S3A, unpacked)
    jars = unpacked / "sagemaker_pyspark/jars"
    missing = [name for name in S3A_JARS.values() if not (jars / name).is_file()]
    if missing:
        raise PreparationError(f"{S3A} does not hold {', '.join(missing)}")
    runtimes.s3a_jar("hadoop-aws").parent.mkdir(parents=True, exist_ok=True)
    shutil.move(jars / S3A_JARS["hadoop-aws"], runtimes.s3a_jar("hadoop-aws"))
    keep_services(jars / S3A_JARS["aws-sdk"], runtimes.s3a_jar("aws-sdk"))
    shutil.rmtree(unpacked)
    return ", ".join(S3A_JARS.values())


def keep_services(bundle: Path, jar: Path) -> None:
    """Write the AWS SDK again with only the services that the connector needs."""
    kept = tuple(f"com/amazonaws/services/{service}" for service in SERVICES)
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in source.infolist():
            is_service = entry.filename.startswith("com/amazonaws/services/")
            if entry.is_dir() or (is_service and not entry.filename.startswith(kept)):
                continue
            if not entry.filename.startswith("models/"):
                new.writestr(entry, source.read(entry))
