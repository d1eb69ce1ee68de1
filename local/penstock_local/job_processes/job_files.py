"""The script of a run and what comes with it, fetched from S3 in the name of the run's role."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

MISSING = ("NoSuchKey", "NoSuchBucket", "404")
REFUSED = ("AccessDenied", "403")


class LaunchError(Exception):
    """A run cannot be started; the text says why."""


class JobFiles:
    """Fetches files into the folder of one run; `prefix` begins every message."""

    def __init__(self, s3: Any, role: str, prefix: str = "") -> None:
        self._s3 = s3
        self._role = role
        self._prefix = prefix

    def fetch(self, location: str, folder: Path, what: str) -> Path:
        """Fetch one object under its own name. Raises LaunchError."""
        place = urlsplit(location)
        key = place.path.lstrip("/")
        if place.scheme not in ("s3", "s3a", "s3n") or not key:
            raise LaunchError(f"{self._prefix}The {what} {location!r} is not an S3 path")
        try:
            body = self._s3.get_object(Bucket=place.netloc, Key=key)["Body"]
        except ClientError as error:
            raise LaunchError(self._why_not(error, location, what)) from error
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / Path(key).name
        with path.open("wb") as file:
            for chunk in body.iter_chunks(1 << 20):
                file.write(chunk)
        return path

    def fetch_python(self, locations: list[str], folder: Path, option: str) -> list[Path]:
        """Fetch modules (.py, .zip, .whl) and return what belongs on Python's path."""
        found = []
        for location in locations:
            path = self.fetch(location, folder, f"file of {option}")
            if path.suffix == ".py":
                found.append(folder)
            elif path.suffix == ".whl":
                found.append(self._unpacked(path, location))
            else:
                found.append(path)
        return list(dict.fromkeys(found))

    def _why_not(self, error: ClientError, location: str, what: str) -> str:
        code = error.response["Error"]["Code"]
        if code in MISSING:
            return f"{self._prefix}The {what} {location} does not exist"
        if code in REFUSED:
            return f"{self._prefix}The role {self._role} may not read the {what} {location}"
        return f"{self._prefix}The {what} {location} cannot be read: {error}"

    def _unpacked(self, wheel: Path, location: str) -> Path:
        """A wheel may hold compiled modules, which Python cannot import from within an archive."""
        folder = wheel.with_suffix("")
        try:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder)
        except zipfile.BadZipFile as error:
            raise LaunchError(f"{self._prefix}{location} is not a wheel: {error}") from error
        return folder
