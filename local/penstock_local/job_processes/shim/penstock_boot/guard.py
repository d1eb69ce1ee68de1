"""`python -m penstock_boot.guard <lifeline> <command…>` runs any command as a job's process.

It ends with the platform that started it, and its exit code is the command's: 128 and the signal
for one that a signal ended, as a container's is.
"""

from __future__ import annotations

import signal
import subprocess
import sys

from . import lifeline


def main() -> int:
    lifeline.hold(int(sys.argv[1]))
    # The signal goes to the whole group: the command ends by it, and this waits for that. A
    # handler, unlike SIG_IGN, is not inherited by the command.
    signal.signal(signal.SIGTERM, lambda *_: None)
    status = subprocess.Popen(sys.argv[2:]).wait()
    return status if status >= 0 else 128 - status


sys.exit(main())
