"""What the command says when it cannot go on."""

from __future__ import annotations


class CommandError(Exception):
    """A failure that a person can mend; the text says what was wrong and what to do.

    The command prints the text without a traceback and exits with status 2.
    """
