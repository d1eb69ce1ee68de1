"""Glue's transforms, each a method of DynamicFrame under another name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pyspark.sql import Row

from .dynamicframe import DynamicFrame


class ApplyMapping:
    """Columns chosen, renamed and cast."""

    @staticmethod
    def apply(frame: DynamicFrame, mappings: Sequence[tuple[str, ...]], **_: Any) -> DynamicFrame:
        return frame.apply_mapping(mappings)


class SelectFields:
    """Only the named columns."""

    @staticmethod
    def apply(frame: DynamicFrame, paths: Sequence[str], **_: Any) -> DynamicFrame:
        return frame.select_fields(paths)


class DropFields:
    """All but the named columns."""

    @staticmethod
    def apply(frame: DynamicFrame, paths: Sequence[str], **_: Any) -> DynamicFrame:
        return frame.drop_fields(paths)


class RenameField:
    """One column under another name."""

    @staticmethod
    def apply(frame: DynamicFrame, old_name: str, new_name: str, **_: Any) -> DynamicFrame:
        return frame.rename_field(old_name, new_name)


class Filter:
    """Only the rows of which a function says yes."""

    @staticmethod
    def apply(frame: DynamicFrame, f: Callable[[Row], bool], **_: Any) -> DynamicFrame:
        return frame.filter(f)


class Join:
    """The rows of two frames whose named columns are equal."""

    @staticmethod
    def apply(
        frame1: DynamicFrame,
        frame2: DynamicFrame,
        keys1: Sequence[str],
        keys2: Sequence[str],
        **_: Any,
    ) -> DynamicFrame:
        return frame1.join(keys1, keys2, frame2)
