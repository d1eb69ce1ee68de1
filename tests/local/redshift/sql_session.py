"""A database without a platform around it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from penstock_local.redshift.database import Database
from penstock_local.redshift.errors import SqlError
from penstock_local.redshift.interpreter import understand
from penstock_local.redshift.outcome import Outcome
from penstock_local.redshift.place import Place
from penstock_local.redshift.session import Folders
from penstock_local.redshift.words import read


class SqlSession:
    """Runs Redshift's SQL, each statement in a transaction of its own."""

    def __init__(self, place: Place, folder: Path) -> None:
        staging = folder / "staging"
        staging.mkdir()
        self._database = Database(place, None, Folders(staging, folder / "results"))
        self.session = self._database.session("IAM:tester")

    def run(self, text: str, **values: str) -> Outcome:
        self.session.begin()
        try:
            outcome = understand(self.session, read(text), values).run(self.session)
        except SqlError:
            self.session.rollback()
            raise
        self.session.commit()
        return outcome

    def rows(self, text: str, **values: str) -> list[tuple[Any, ...]]:
        result = self.run(text, **values).result
        assert result is not None
        pages = range(len(result.pages)) if result.pages else [0]
        records = [record for page in pages for record in json.loads(result.page(page))]
        return [tuple(_plain(field) for field in record) for record in records]

    def value(self, text: str, **values: str) -> Any:
        ((only,),) = self.rows(text, **values)
        return only

    def types(self, text: str) -> list[str]:
        result = self.run(text).result
        assert result is not None
        return [column.metadata()["typeName"] for column in result.columns]

    def close(self) -> None:
        self.session.close()
        self._database.close()


def _plain(field: dict[str, Any]) -> Any:
    (kind, value), *_ = field.items()
    return None if kind == "isNull" else value
