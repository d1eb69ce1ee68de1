"""How Step Functions writes the members of an API's requests and answers.

aws-sdk integrations follow the AWS SDK for Java v2 (`SsekmsKeyId`), optimised ones the API itself
with a capital in front (`MD5OfMessageBody`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.model import StructureShape

MemberName = Callable[[str], str]

_RENAMED = {"NULL": "Nul"}  # `null` is a reserved word in Java; DynamoDB's member gave way


def capitalised(member: str) -> str:
    """The API's own name, beginning with a capital (`jobName` -> `JobName`)."""
    return member[:1].upper() + member[1:]


@lru_cache(maxsize=4096)
def java_member(member: str) -> str:
    """The name in the AWS SDK for Java v2, beginning with a capital (`SSEKMSKeyId` -> ...).

    The run of capitals at the front becomes small, but for one that begins a word, that is, one
    before a small letter; then the first letter becomes a capital again.
    """
    if member in _RENAMED:
        return _RENAMED[member]
    end = 1
    while end < len(member) and member[end].isupper() and not member[end + 1 : end + 2].islower():
        end += 1
    return capitalised(member[:end].lower() + member[end:])


def members_by_name(shape: StructureShape, name: MemberName) -> dict[str, str]:
    """What Step Functions calls the members of a structure -> what the API calls them."""
    return _by_name(tuple(shape.members), name)


@lru_cache(maxsize=2048)
def _by_name(members: tuple[str, ...], name: MemberName) -> dict[str, str]:
    return {name(member): member for member in members}
