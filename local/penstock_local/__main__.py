"""`python -m penstock_local` starts Penstock Local in the foreground."""

from __future__ import annotations

import sys

from penstock_local.launcher import main

sys.exit(main())
