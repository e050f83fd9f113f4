"""From bytes to text: the byte order mark, the encoding, and the byte that does not decode."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator

from hilt.errors import ConfigError, DataError
from hilt.plain_files import shown
from hilt.reading.opening import File

DEFAULT = "utf-8"
CHUNK_BYTES = 1 << 20
# A line is read whole; one that is longer is no row of a table.
MAX_LINE_LENGTH = 128 << 20
# UTF-32 before UTF-16, whose mark its own begins with.
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Python calls these encodings, but no file is written in them.
NOT_OF_FILES = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape")


def codec_of(file: File, encoding: str | None) -> str:
    """Name the codec of a file; a byte order mark says it, whatever the option says.

    Raises:
        ConfigError: If the option names no encoding of text.
        DataError: If the content looks like UTF-16, and nothing says so.
    """
    asked = check_encoding(file.path, encoding or DEFAULT)
    marked = next((codec for mark, codec in MARKS.items() if file.head.startswith(mark)), None)
    start = file.head[:64]
    if marked is None and encoding is None and start.count(0) * 4 > len(start):
        likely = "utf-16-le" if start[1::2].count(0) > start[0::2].count(0) else "utf-16-be"
        raise DataError(
            f"{shown(file.path)} is not text in UTF-8: there is a byte 0x00 at offset"
            f" {start.index(0)}. If it is UTF-16 without a byte order mark, set `encoding` to"
            f" {likely}."
        )
    return marked or asked


def check_encoding(path: str, encoding: str) -> str:
    """Look an encoding up.

    Raises:
        ConfigError: If it is unknown, or none of text.
    """
    try:
        found = codecs.lookup(encoding)
    except (LookupError, ValueError):
        found = None
    # Python asks codecs themselves whether they make text; there is no other way to know.
    if found is None or not getattr(found, "_is_text_encoding", True) or _odd(found.name):
        raise ConfigError(
            f"{shown(path)}: `encoding` is {encoding[:80]!r}, which is unknown; use for"
            " example utf-8, utf-16, cp1252 or latin-1."
        )
    return "utf-8-sig" if found.name == "utf-8" else found.name


def _odd(name: str) -> bool:
    return name.replace("-", "_") in NOT_OF_FILES


def text_lines(file: File, codec: str, *, newline: str, errors: str = "strict") -> Iterator[str]:
    r"""Stream the lines of a file, with their ends.

    Args:
        file: The file.
        codec: From `codec_of`.
        newline: What ends a line, as `open` has it: `""` for any, `"\n"` for that alone.
        errors: What happens to bytes that do not decode, as `open` has it.

    Raises:
        DataError: If a line is longer than any row can be.
        UnicodeDecodeError: If a byte does not decode; `find_undecodable` says which.
    """
    with file.open() as content, io.TextIOWrapper(content, codec, errors, newline=newline) as text:
        number = 0
        while line := text.readline(MAX_LINE_LENGTH):
            number += 1
            if len(line) == MAX_LINE_LENGTH:
                raise DataError(
                    f"{shown(file.path)}, line {number}: the line is longer than"
                    f" {MAX_LINE_LENGTH >> 20} MB, too long for a row of a table."
                )
            yield line


def text_chunks(file: File, codec: str) -> Iterator[str]:
    """Stream the text of a file in pieces.

    Raises:
        UnicodeDecodeError: If a byte does not decode; `find_undecodable` says which.
    """
    with file.open() as content, io.TextIOWrapper(content, codec, newline="\n") as text:
        while chunk := text.read(CHUNK_BYTES):
            yield chunk


def find_undecodable(file: File, codec: str) -> DataError | None:
    """Find the first byte that is not in the encoding, in constant memory."""
    decoder = codecs.getincrementaldecoder(codec)()
    line, read = 1, 0
    with file.open() as content:
        while True:
            chunk = content.read(CHUNK_BYTES)
            read += len(chunk)
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(codec, "replace")
                # What a decoder complains about may begin with bytes kept from an earlier chunk.
                offset = read - len(error.object) + error.start
                name = codec.removesuffix("-sig").upper()
                return DataError(
                    f"{shown(file.path)}, line {line + good.count(chr(10))}: byte"
                    f" 0x{error.object[error.start]:02x} (at offset {offset}) is not"
                    f" {name}; save the file as UTF-8, or name its encoding with `encoding`"
                    " (cp1252 for a file from an older Windows program)."
                )
            except UnicodeError as error:
                return DataError(f"{shown(file.path)} is not {codec}: {error}.")
            if not chunk:
                return None
