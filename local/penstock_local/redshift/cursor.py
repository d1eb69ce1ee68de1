"""Walking over the words of a statement."""

from __future__ import annotations

from penstock_local.redshift.errors import SqlError, syntax_error
from penstock_local.redshift.words import Kind, Name, Sql, Word, says


class Cursor:
    """A place in a statement, with the questions that a hand-written parser asks."""

    def __init__(self, sql: Sql) -> None:
        self.sql = sql
        self._words = sql.words
        self._next = 0

    @property
    def done(self) -> bool:
        """Whether every word has been taken."""
        return self._next >= len(self._words)

    def peek(self) -> Word | None:
        """The next word, which stays."""
        return None if self.done else self._words[self._next]

    def at(self, *keywords: str) -> bool:
        """Whether these keywords come next."""
        return says(self._words[self._next :], *keywords)

    def take(self, *keywords: str) -> bool:
        """Step over these keywords if they come next."""
        found = self.at(*keywords)
        if found:
            self._next += len(keywords)
        return found

    def take_any(self, *keywords: str) -> str | None:
        """Step over the one of these keywords that comes next, and say which."""
        return next((keyword for keyword in keywords if self.take(keyword)), None)

    def expect(self, *keywords: str) -> None:
        """Step over these keywords; anything else is a syntax error."""
        for keyword in keywords:
            if not self.take(keyword):
                raise self.unexpected()

    def expect_end(self) -> None:
        """Nothing may follow."""
        if not self.done:
            raise self.unexpected()

    def unexpected(self) -> SqlError:
        """The syntax error at this place."""
        word = self.peek()
        return syntax_error(None if word is None else word.text)

    def word(self) -> Word:
        """The next word, whatever it is."""
        word = self.peek()
        if word is None:
            raise self.unexpected()
        self._next += 1
        return word

    def identifier(self) -> str:
        """A name, folded to lower case."""
        word = self.peek()
        if word is None or word.kind not in (Kind.WORD, Kind.QUOTED):
            raise self.unexpected()
        self._next += 1
        return word.text.lower()

    def name(self) -> Name:
        """A name with an optional schema and database before it."""
        parts = [self.identifier()]
        while self.take("."):
            parts.append(self.identifier())
        if len(parts) > 3:
            raise self.unexpected()
        return Name(tuple(parts))

    def string(self) -> str:
        """A string literal."""
        return self.string_word().text

    def string_word(self) -> Word:
        """A string literal with its place in the text."""
        word = self.peek()
        if word is None or word.kind is not Kind.STRING:
            raise self.unexpected()
        self._next += 1
        return word

    def number(self) -> int:
        """A whole number, with an optional sign."""
        sign = -1 if self.take("-") else 1
        word = self.peek()
        if word is None or word.kind is not Kind.NUMBER or not word.text.isdigit():
            raise self.unexpected()
        self._next += 1
        return sign * int(word.text)

    def in_parentheses(self) -> list[Word]:
        """The words between the parentheses that come next."""
        self.expect("(")
        inside: list[Word] = []
        depth = 1
        while True:
            word = self.word()
            depth += word.says("(") - word.says(")")
            if depth == 0:
                return inside
            inside.append(word)

    def names_in_parentheses(self) -> list[str]:
        """A list of names such as `(a, b)`."""
        self.expect("(")
        names = [self.identifier()]
        while self.take(","):
            names.append(self.identifier())
        self.expect(")")
        return names

    def rest(self) -> list[Word]:
        """All words that are left."""
        left = list(self._words[self._next :])
        self._next = len(self._words)
        return left


def cursor_over(sql: Sql, words: list[Word]) -> Cursor:
    """A cursor over a part of a statement."""
    return Cursor(Sql(sql.text, tuple(words)))


def split_at_commas(words: list[Word]) -> list[list[Word]]:
    """The elements of a list, where commas inside parentheses do not count."""
    elements: list[list[Word]] = [[]]
    depth = 0
    for word in words:
        depth += word.says("(") - word.says(")")
        if depth == 0 and word.says(","):
            elements.append([])
        else:
            elements[-1].append(word)
    return elements
