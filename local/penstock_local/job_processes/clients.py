"""Clients of the platform's own APIs, in the name of a job's role."""

from __future__ import annotations

import threading
from typing import Any

import botocore.session
from botocore.config import Config

from penstock_local.sessions import Credentials

_session = botocore.session.Session()
# A session loads the models of the services once; making clients from it is not thread-safe.
_making = threading.Lock()


def client(service: str, credentials: Credentials, region: str, endpoint: str) -> Any:
    """A botocore client that signs with a role session."""
    with _making:
        return _session.create_client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.token,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
        )
