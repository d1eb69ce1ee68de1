"""The variables by which ministack is told how to run; they must stand before its import."""

from __future__ import annotations

import os

from penstock_local.settings import LOOPBACK, LocalSettings

# What a person's shell may hold that would send a job or a function elsewhere than to this
# machine, or give it other credentials than its role's.
FOREIGN = ("AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "USE_SSL")


def prepare(settings: LocalSettings) -> None:
    """Set ministack's variables in this process: loopback only, IAM enforced, nothing kept."""
    for name in FOREIGN:
        os.environ.pop(name, None)
    scratch = settings.home / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        BIND_HOST=LOOPBACK,
        MINISTACK_HOST="localhost",
        GATEWAY_PORT=str(settings.port),
        MINISTACK_REGION=settings.region,
        MINISTACK_ACCOUNT_ID=settings.account,
        AUTH="true",
        PERSIST_STATE="0",
        S3_PERSIST="0",
        STATE_DIR=str(settings.home / "state"),
        S3_DATA_DIR=str(settings.home / "s3"),
        LAMBDA_EXECUTOR="local",
        # The pool of execution environments makes invocations wait; nothing is throttled.
        LAMBDA_ACCOUNT_CONCURRENCY="0",
        # Both open ports of their own, the first on every interface whatever BIND_HOST says.
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        DOCKER_HOST="unix:///nonexistent",
        LOG_LEVEL=os.environ.get("PENSTOCK_LOCAL_LOG_LEVEL", "WARNING"),
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",  # noqa: S106 - the root of an account that is not one
        AWS_DEFAULT_REGION=settings.region,
        AWS_REGION=settings.region,
        TMPDIR=str(scratch),
    )
