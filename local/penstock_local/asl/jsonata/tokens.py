"""Expressions cut into tokens, and the parser that reads them.

The grammar is the package's; its own tokens are those of a later JSONata and fail at the end of a
text. These are the ones of JSONata 2.0.6.
"""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

from jsonata.parser import Parser

from penstock_local.asl.jsonata.data import NULL
from penstock_local.asl.jsonata.errors import failure
from penstock_local.asl.jsonata.regex import compile_pattern
from penstock_local.asl.values import number

_BLANKS = " \t\n\r\v"
_STOPS = set(".[]{}(),@#;:?+-*/%|=<>^&!~")
_DOUBLE = ("..", ":=", "!=", ">=", "<=", "**", "~>")
_UNKNOWN = ("!", "~")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": NULL}
_WORD_OPERATORS = ("and", "or", "in")
_NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")
_ESCAPES = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}


class Token(NamedTuple):
    """One token, as the package's parser wants it."""

    type: str
    value: Any
    position: int


class Tokens:
    """The tokens of a text, one after the other; raises JsonataError for what is none."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def next(self, after_operand: bool) -> Token | None:
        """The next token, None at the end; a slash after an operand is a division."""
        self._skip()
        character = self._at(self._position)
        if not character:
            return None
        if character == "/" and not after_operand:
            return self._token("regex", self._pattern())
        if character in _STOPS:
            return self._operator(character)
        if character in "\"'":
            return self._token("string", self._string(character))
        digits = _NUMBER.match(self._text, self._position)
        if digits:
            return self._number(digits[0])
        if character == "`":
            return self._quoted_name()
        return self._word()

    def _token(self, kind: str, value: Any) -> Token:
        return Token(kind, value, self._position)

    def _at(self, position: int) -> str:
        """The character there; "" beyond the end."""
        return self._text[position : position + 1]

    def _skip(self) -> None:
        """Go past blanks and comments."""
        while True:
            character = self._at(self._position)
            if character and character in _BLANKS:
                self._position += 1
            elif self._text.startswith("/*", self._position):
                end = self._text.find("*/", self._position + 2)
                if end < 0:
                    raise failure("S0106")
                self._position = end + 2
            else:
                return

    def _operator(self, character: str) -> Token:
        double = self._text[self._position : self._position + 2]
        operator = double if double in _DOUBLE else character
        self._position += len(operator)
        if operator in _UNKNOWN:
            raise failure("S0204", token=operator)
        return self._token("operator", operator)

    def _string(self, quote: str) -> str:
        self._position += 1
        parts: list[str] = []
        while character := self._at(self._position):
            self._position += 1
            if character == quote:
                return "".join(parts)
            parts.append(self._escaped() if character == "\\" else character)
        raise failure("S0101")

    def _escaped(self) -> str:
        character = self._at(self._position)
        self._position += 1
        if character in _ESCAPES:
            return _ESCAPES[character]
        if character != "u":
            raise failure("S0103", token=character)
        digits = self._text[self._position : self._position + 4]
        if not _HEXADECIMAL.fullmatch(digits):
            raise failure("S0104")
        self._position += 4
        return chr(int(digits, 16))

    def _number(self, digits: str) -> Token:
        value = float(digits)
        if not math.isfinite(value):
            raise failure("S0102", token=digits)
        self._position += len(digits)
        return self._token("number", number(value))

    def _quoted_name(self) -> Token:
        end = self._text.find("`", self._position + 1)
        if end < 0:
            raise failure("S0105")
        name = self._text[self._position + 1 : end]
        self._position = end + 1
        return self._token("name", name)

    def _word(self) -> Token:
        start = self._position
        while (character := self._at(self._position)) and character not in _BLANKS:
            if character in _STOPS:
                break
            self._position += 1
        word = self._text[start : self._position]
        if word.startswith("$"):
            return self._token("variable", word[1:])
        if word in _WORD_OPERATORS:
            return self._token("operator", word)
        if word in _WORDS:
            return self._token("value", _WORDS[word])
        return self._token("name", word)

    def _pattern(self) -> re.Pattern[str]:
        """A regular expression: up to a slash that is neither escaped nor in brackets."""
        start = position = self._position + 1
        depth = 0
        while character := self._at(position):
            if character == "/" and depth == 0 and not self._is_escaped(start, position):
                return self._compiled(start, position)
            if self._at(position - 1) != "\\":
                depth += (character in "([{") - (character in ")]}")
            position += 1
        raise failure("S0302")

    def _is_escaped(self, start: int, position: int) -> bool:
        body = self._text[start:position]
        return (len(body) - len(body.rstrip("\\"))) % 2 == 1

    def _compiled(self, start: int, end: int) -> re.Pattern[str]:
        if start == end:
            raise failure("S0301")
        self._position = end + 1
        flags = ""
        while (flag := self._at(self._position)) and flag in "im":
            flags += flag
            self._position += 1
        return compile_pattern(
            self._text[start:end], ignore_case="i" in flags, multiline="m" in flags
        )


class ExpressionParser(Parser):  # type: ignore[misc] # the package has no types
    """The package's parser over these tokens."""

    def parse(self, text: str) -> Any:
        """The syntax tree of an expression; raises JsonataError, and JException."""
        self.source = text
        self.lexer = Tokens(text)
        self.advance()
        tree = self.expression(0)
        if self.node.id != "(end)":
            raise failure("S0201", token=self.node.value)
        tree = self.process_ast(tree)
        if tree.type == "parent" or tree.seeking_parent is not None:
            raise failure("S0217", token=tree.type)
        return tree
