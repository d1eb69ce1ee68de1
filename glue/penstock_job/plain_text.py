"""Makes plain text in UTF-8 of a file as it came: compressed, or in another encoding."""

from __future__ import annotations

import codecs
import gzip
import zlib
from pathlib import Path

from penstock_job.errors import ArgumentsError, SourceError

GZIP_MARK = b"\x1f\x8b"
"""No text begins with these bytes, so a file tells by itself, whatever its name."""
BLOCK = 1 << 20
UTF_8 = ("utf-8", "ascii")


def require_encoding(encoding: str) -> str:
    """The encoding under the one name that Python has for it. Raises ArgumentsError."""
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise ArgumentsError(f"{encoding!r} is no encoding of text") from None


def unpack(file: Path) -> None:
    """Replace a file that is compressed with gzip by what it holds; leave any other as it is.

    Raises SourceError where the compressed data break off or are damaged.
    """
    with file.open("rb") as raw:
        if raw.read(len(GZIP_MARK)) != GZIP_MARK:
            return
    unpacked = file.with_name(file.name + ".unpacked")
    try:
        with gzip.open(file, "rb") as packed, unpacked.open("wb") as plain:
            while block := packed.read(BLOCK):
                plain.write(block)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(f"the compressed file is damaged: {error}") from error
    unpacked.replace(file)


def to_utf_8(file: Path, encoding: str) -> None:
    """Replace a text in another encoding by the same in UTF-8.

    A file that is UTF-8 already is left alone: of that, each line is judged by itself. Raises
    SourceError where the bytes are no text in the encoding.
    """
    name = require_encoding(encoding)
    if name in UTF_8:
        return
    decoder = codecs.getincrementaldecoder(name)()
    recoded = file.with_name(file.name + ".recoded")
    done = 0
    try:
        with file.open("rb") as source, recoded.open("wb") as target:
            while block := source.read(BLOCK):
                target.write(decoder.decode(block).encode())
                done += len(block)
            target.write(decoder.decode(b"", final=True).encode())
    except UnicodeError as error:
        raise SourceError(
            f"the file is not text in {encoding}: {error} (after {done} bytes that are)"
        ) from error
    recoded.replace(file)
