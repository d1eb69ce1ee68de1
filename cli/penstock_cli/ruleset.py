"""`penstock dqdl`: the rules of a specification as a ruleset for AWS Glue Data Quality."""

from __future__ import annotations

import sys
from pathlib import Path

from penstock_cli.errors import CommandError

GLUE = Path(__file__).parents[2] / "glue"
"""The jobs' own library, which reads specifications; it lies beside the application."""


def ruleset_of(file: Path) -> str:
    """Return the DQDL of a specification file; raise CommandError if it cannot be read."""
    if str(GLUE) not in sys.path:
        sys.path.append(str(GLUE))
    from penstock_job.dqdl import dqdl_of
    from penstock_job.errors import SpecificationError
    from penstock_job.specification import read_specification
    from penstock_job.specification_document import parse

    try:
        return dqdl_of(read_specification(parse(file.read_text(), str(file))))
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
    except SpecificationError as error:
        raise CommandError(f"{file}: {error}") from error
