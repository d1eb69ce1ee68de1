"""`--additional-python-modules` checked against what the environment of the job has."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version


def unmet(wanted: str, site_packages: Sequence[Path]) -> tuple[str, bool]:
    """What is wrong with one requirement, and whether the job may run nevertheless.

    An empty text means that nothing is. Glue would install the module; here nothing is installed
    while a job runs. A patch release apart is said in the log only: the newest one of a module is
    not always to be had for the local environment.
    """
    try:
        requirement = Requirement(wanted)
    except InvalidRequirement as error:
        return f"{wanted!r} in --additional-python-modules cannot be read: {error}", False
    found = _installed(requirement.name, site_packages)
    if found is None:
        return f"{wanted} is not installed here", False
    if requirement.specifier.contains(found, prereleases=True):
        return "", True
    return f"{wanted} is asked for, {found} is installed here", _is_close(requirement, found)


def _installed(name: str, site_packages: Sequence[Path]) -> Version | None:
    path = [str(folder) for folder in site_packages]
    found = next(iter(distributions(name=name, path=path)), None)
    return Version(found.version) if found else None


def _is_close(requirement: Requirement, found: Version) -> bool:
    pins = list(requirement.specifier)
    if len(pins) != 1 or pins[0].operator != "==" or pins[0].version.endswith("*"):
        return False
    return Version(pins[0].version).release[:2] == found.release[:2]
