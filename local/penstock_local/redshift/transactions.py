"""BEGIN, COMMIT, ROLLBACK, and TRUNCATE, which commits as well."""

from __future__ import annotations

from dataclasses import dataclass

from penstock_local.redshift.cursor import Cursor
from penstock_local.redshift.outcome import Outcome
from penstock_local.redshift.relations import require_table
from penstock_local.redshift.session import Session
from penstock_local.redshift.words import Name, Sql


class Begin:
    """Opens a block. Inside a batch, which is a transaction already, Redshift only warns."""

    def run(self, session: Session) -> Outcome:
        """Keep the transaction open beyond this statement."""
        if not session.in_batch:
            session.in_block = True
        return Outcome()


class Commit:
    """Ends a block; inside a batch, what was done so far can no longer be rolled back."""

    def run(self, session: Session) -> Outcome:
        """Commit, and go on in a new transaction."""
        session.commit()
        session.begin()
        return Outcome()


class Rollback:
    """Undoes a block, or what a batch has done so far."""

    def run(self, session: Session) -> Outcome:
        """Roll back, and go on in a new transaction."""
        session.rollback()
        session.begin()
        return Outcome()


@dataclass(frozen=True, slots=True)
class Truncate:
    """Empties a table and, as in Redshift, commits the transaction it runs in."""

    table: Name

    def run(self, session: Session) -> Outcome:
        """Empty it, commit, and go on in a new transaction."""
        relation = require_table(session, self.table)
        session.execute(f"TRUNCATE {relation.sql}")
        session.commit()
        session.begin()
        return Outcome()


@dataclass(frozen=True, slots=True)
class OutsideBlocks:
    """A statement without effect here that Redshift refuses inside a transaction block."""

    statement: str

    def run(self, session: Session) -> Outcome:
        """Refuse it there too."""
        session.refuse_in_block(self.statement)
        return Outcome()


def parse_truncate(sql: Sql) -> Truncate:
    """TRUNCATE [TABLE] name."""
    cursor = Cursor(sql)
    cursor.expect("TRUNCATE")
    cursor.take("TABLE")
    table = cursor.name()
    cursor.expect_end()
    return Truncate(table)
