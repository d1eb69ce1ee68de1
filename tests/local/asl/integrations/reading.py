"""A reader of items over the real S3."""

from __future__ import annotations

from typing import Any

import pytest
from tests.local.asl.integrations.calls import run

from penstock_local.asl.errors import StateError
from penstock_local.asl.integrations import Caller
from penstock_local.asl.item_reader import GET_OBJECT, read_items

BUCKET = "reader-bucket"


class Reader:
    """Stores a file and reads items from it, through the real S3."""

    def __init__(self, s3: Any, integrations: Any, caller: Caller) -> None:
        self.s3, self._integrations, self._caller = s3, integrations, caller

    def put(self, key: str, content: str | bytes) -> None:
        body = content.encode() if isinstance(content, str) else content
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def read(self, resource: str, arguments: Any, config: Any = None) -> Any:
        reader = {"Resource": resource, "Arguments": arguments}
        if config is not None:
            reader["ReaderConfig"] = config
        return run(read_items(self._integrations.s3, self._caller, reader))

    def file(self, content: str | bytes, **config: Any) -> Any:
        self.put("file", content)
        return self.read(GET_OBJECT, {"Bucket": BUCKET, "Key": "file"}, config)

    def failure(self, content: str | bytes, **config: Any) -> str:
        with pytest.raises(StateError) as raised:
            self.file(content, **config)
        assert raised.value.error == "States.ItemReaderFailed"
        return raised.value.cause or ""
