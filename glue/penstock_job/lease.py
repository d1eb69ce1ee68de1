"""A lease on a target: one load writes to a table at a time, and a dead one frees it by dying.

The lease is an object beside the data. It is taken and renewed by conditional PUTs, so of two
loads one gets it. It holds from its last PUT for as long as it says, by the clock of S3 alone: its
LastModified against the Date of the answer that shows it. A holder that lives renews it well
before; one that could not stops writing well before another may begin.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from penstock_job.contract import JobContract
from penstock_job.errors import LeaseError, StaleAttemptError
from penstock_job.object_store import ABSENT, ObjectStore, split

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)
LEASE_SECONDS = 90.0
WAIT_SECONDS = 600.0
LONGEST_PAUSE_SECONDS = 5.0
# What is sent within this part of the lease has ended, by its time-out, before the lease has.
SAFE_SHARE = 0.7
RENEWALS = 4
LOST = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409", *ABSENT}


@dataclass(frozen=True)
class _Seen:
    """A lease object as it was read: its tag, who wrote it, and how long ago."""

    tag: str
    holder: dict[str, Any]
    age: float

    @property
    def is_free(self) -> bool:
        return bool(self.holder.get("released")) or self.age > float(self.holder["seconds"])

    @property
    def spoken(self) -> str:
        return (
            f"{self.holder['job_name']} (attempt {self.holder['attempt']}) of run "
            f"{self.holder['job_id']}"
        )


class Lease:
    """A lease on one target, held within `with`. `require` ends a load that has lost it.

    Entering waits for another load of the target. Raises LeaseError when that takes too long, and
    StaleAttemptError when a later attempt of the same job has loaded the target already.
    """

    def __init__(
        self,
        store: ObjectStore,
        contract: JobContract,
        target: str,
        *,
        wait: float = WAIT_SECONDS,
        seconds: float = LEASE_SECONDS,
    ) -> None:
        self.target = target
        self._path = f"{contract.data_path}/_leases/{quote(target, safe='')}.json"
        self._client = store.client
        self._contract = contract
        self._wait = wait
        self._seconds = seconds
        self._tag = ""
        self._sure_until = 0.0
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name="lease", daemon=True)

    def __enter__(self) -> Self:
        give_up_at, told = time.monotonic() + self._wait, ""
        while True:
            seen = self._look()
            if seen is None or seen.is_free:
                self._refuse_stale(seen)
                if self._put(seen.tag if seen else None):
                    break
                continue  # another was quicker
            if seen.spoken != told:
                told = seen.spoken
                logger.info("%s is being loaded by %s; waiting for it", self.target, told)
            if time.monotonic() >= give_up_at:
                raise LeaseError(
                    f"{self.target} is being loaded by {told}; gave up after {self._wait:.0f} s"
                )
            pause = min(LONGEST_PAUSE_SECONDS, self._seconds / 10)
            time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter, not a secret
        self._renewer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._renewer.join()
        if self._tag:
            self._put(self._tag, released=True)

    def require(self) -> None:
        """Raises LeaseError when the lease may be another's by now."""
        if time.monotonic() > self._sure_until:
            raise LeaseError(
                f"the lease on {self.target} could not be renewed in time; another load may have "
                "it. Nothing more is written"
            )

    def _renew(self) -> None:
        while not self._ended.wait(self._seconds * SAFE_SHARE / RENEWALS):
            if not self._renew_once():
                self._tag, self._sure_until = "", 0.0
                return

    def _renew_once(self) -> bool:
        """Try to renew the lease; false where it is another's."""
        try:
            return self._put(self._tag) or self._is_at(self._tag)
        except (ClientError, BotoCoreError) as error:
            logger.warning("the lease on %s was not renewed: %s", self.target, error)
            return True

    def _refuse_stale(self, seen: _Seen | None) -> None:
        holder = seen.holder if seen else {}
        contract = self._contract
        same = (holder.get("job_id"), holder.get("job_name")) == (
            contract.job_id,
            contract.job_name,
        )
        if same and int(holder["attempt"]) > contract.attempt:
            raise StaleAttemptError(
                f"attempt {holder['attempt']} of {contract.job_name} has loaded {self.target} "
                f"already; attempt {contract.attempt} stands back"
            )

    def _look(self) -> _Seen | None:
        bucket, key = split(self._path)
        try:
            answer = self._client.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ABSENT:
                return None
            raise
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        written: datetime = answer["LastModified"]
        holder = json.loads(answer["Body"].read())
        return _Seen(answer["ETag"], holder, (now - written).total_seconds())

    def _is_at(self, tag: str) -> bool:
        seen = self._look()
        return seen is not None and seen.tag == tag

    def _put(self, tag: str | None, *, released: bool = False) -> bool:
        """Write the lease where it is still as `tag` says; false where it is not."""
        bucket, key = split(self._path)
        contract = self._contract
        holder = {
            "target": self.target,
            "job_id": contract.job_id,
            "job_name": contract.job_name,
            "attempt": contract.attempt,
            "seconds": self._seconds,
            "released": released,
            "renewal": f"{random.getrandbits(64):016x}",
        }
        answer: Any
        condition: Any = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}
        sent_at = time.monotonic()
        try:
            answer = self._client.put_object(
                Bucket=bucket,
                Key=key,
                Body=json.dumps(holder).encode(),
                ContentType="application/json",
                **condition,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in LOST:
                raise
            # It was sent twice where an answer got lost: then it is there all the same.
            seen = self._look()
            if seen is None or seen.holder["renewal"] != holder["renewal"]:
                return False
            answer = {"ETag": seen.tag}
        self._tag = answer["ETag"]
        self._sure_until = sent_at + self._seconds * SAFE_SHARE
        return True


def add_lease_arguments(parser: argparse.ArgumentParser) -> None:
    """How long a load waits for another, and for how long a dead one holds its target."""
    parser.add_argument("--lease_wait_seconds", type=float, default=WAIT_SECONDS)
    parser.add_argument("--lease_seconds", type=float, default=LEASE_SECONDS)


def lease_of(
    store: ObjectStore, contract: JobContract, target: str, arguments: argparse.Namespace
) -> Lease:
    """The lease on a target, as the arguments say."""
    return Lease(
        store,
        contract,
        target,
        wait=arguments.lease_wait_seconds,
        seconds=arguments.lease_seconds,
    )
