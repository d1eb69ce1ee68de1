"""Reading SQL word by word: for the statements that only Redshift has, and to know what one is.

The tokens are sqlglot's, so strings, comments and quoted names are told apart as Redshift does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar

from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from penstock_local.redshift.errors import syntax_error, validation
from penstock_local.redshift.wordings import from_sqlglot


class _Reading(Redshift):
    """Redshift's words, also in the statements that sqlglot takes as one piece."""

    class Tokenizer(Redshift.Tokenizer):
        COMMANDS: ClassVar[set[TokenType]] = set()


_REDSHIFT = _Reading()


class Kind(Enum):
    """What sort of word it is."""

    WORD = auto()
    QUOTED = auto()
    STRING = auto()
    NUMBER = auto()
    SYMBOL = auto()


_KINDS = {
    TokenType.IDENTIFIER: Kind.QUOTED,
    TokenType.STRING: Kind.STRING,
    TokenType.HEREDOC_STRING: Kind.STRING,
    TokenType.RAW_STRING: Kind.STRING,
    TokenType.NUMBER: Kind.NUMBER,
}


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a statement and where it stands in the text, both ends included."""

    text: str
    kind: Kind
    start: int
    end: int

    def says(self, keyword: str) -> bool:
        """Whether this is the given keyword or symbol."""
        return self.kind in (Kind.WORD, Kind.SYMBOL) and self.text.upper() == keyword


@dataclass(frozen=True, slots=True)
class Sql:
    """One statement: its text without a final semicolon, and its words."""

    text: str
    words: tuple[Word, ...]

    def starts_with(self, *keywords: str) -> bool:
        """Whether the statement begins with these keywords."""
        return says(self.words, *keywords)

    def slice(self, words: Sequence[Word]) -> str:
        """The text from the first to the last of these words."""
        return self.text[words[0].start : words[-1].end + 1] if words else ""


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a relation, folded to lower case as Redshift does, quoted or not."""

    parts: tuple[str, ...]

    @property
    def table(self) -> str:
        """The last part."""
        return self.parts[-1]

    @property
    def schema(self) -> str | None:
        """The part before the last, if there is one."""
        return self.parts[-2] if len(self.parts) > 1 else None

    @property
    def is_temporary(self) -> bool:
        """Whether the name itself says so, with a leading #."""
        return self.table.startswith("#")

    @property
    def sql(self) -> str:
        """The name as DuckDB reads it; the database is always the current one."""
        return ".".join(quote(part) for part in self.parts[-2:])


def quote(name: str) -> str:
    """A name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in single quotes, as DuckDB reads it."""
    return "'" + text.replace("'", "''") + "'"


def says(words: Sequence[Word], *keywords: str) -> bool:
    """Whether `words` begin with these keywords."""
    return len(words) >= len(keywords) and all(
        word.says(keyword) for word, keyword in zip(words, keywords, strict=False)
    )


def read(text: str) -> Sql:
    """The one statement in `text`.

    Raises SqlError when it cannot be read, ApiError when there are several.
    """
    words = _words(text)
    while words and words[-1].says(";"):
        words.pop()
    if any(word.says(";") for word in words):
        raise validation("Multiple sql statements are not allowed.")
    if not words:
        raise syntax_error(None)
    return Sql(text[: words[-1].end + 1], tuple(words))


def placeholders(words: Sequence[Word]) -> list[tuple[str, Word, Word]]:
    """Every `:name` outside strings and comments: its name, the colon and its last word."""
    found = []
    for position, word in enumerate(words[:-1]):
        if not word.says(":"):
            continue
        last = position
        while last + 1 < len(words) and _continues(words[last], words[last + 1]):
            last += 1
        if last > position:
            name = "".join(part.text for part in words[position + 1 : last + 1])
            found.append((name, word, words[last]))
    return found


def _continues(word: Word, following: Word) -> bool:
    return following.start == word.end + 1 and following.kind in (Kind.WORD, Kind.NUMBER)


def _words(text: str) -> list[Word]:
    try:
        tokens = _REDSHIFT.tokenize(text)
    except SqlglotError as error:
        raise from_sqlglot(error) from error
    return [word for token in tokens for word in _split(text, token)]


def _split(text: str, token: Token) -> list[Word]:
    kind = _KINDS.get(token.token_type)
    if kind is None:
        source = text[token.start : token.end + 1]
        kind = Kind.WORD if _is_word(source) else Kind.SYMBOL
        if kind is Kind.WORD and not source.isidentifier():
            return _split_compound(source, token.start)
    return [Word(token.text, kind, token.start, token.end)]


def _is_word(source: str) -> bool:
    return source[0].isalpha() or source[0] in "_#"


def _split_compound(source: str, start: int) -> list[Word]:
    """sqlglot reads `PRIMARY KEY` or `DOUBLE PRECISION` as one token; Redshift has two words."""
    words = []
    position = 0
    for part in source.split():
        position = source.index(part, position)
        words.append(Word(part, Kind.WORD, start + position, start + position + len(part) - 1))
        position += len(part)
    return words
