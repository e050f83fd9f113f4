"""Text files, plain or gzipped: opening them, and finding the byte that does not decode."""

from __future__ import annotations

import codecs
import gzip
import zlib
from pathlib import Path
from typing import IO, cast

from hilt.errors import ConfigError, DataError
from hilt.pipeline.configuration.sections import Source

CHUNK_BYTES = 1 << 20
# What reading may raise, also from inside a gzip file.
UNREADABLE = (OSError, EOFError, zlib.error)


def open_bytes(path: str) -> IO[bytes]:
    """Open a file for reading, unpacked if its name ends in .gz."""
    if path.endswith(".gz"):
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return Path(path).open("rb")


def codec_of(source: Source) -> str:
    """Name the codec of a text file; a byte order mark before UTF-8 is never part of the text.

    Raises:
        ConfigError: If Python knows no such encoding.
    """
    try:
        name = codecs.lookup(source.encoding).name
    except LookupError:
        raise ConfigError(
            f"{source.path}: `encoding` is {source.encoding!r}, which is unknown;"
            " use for example utf-8, utf-16, cp1252 or latin-1."
        ) from None
    return "utf-8-sig" if name == "utf-8" else name


def find_undecodable(source: Source) -> DataError | None:
    """Find the first byte that is not in the source's encoding, in constant memory."""
    codec = codec_of(source)
    decoder = codecs.getincrementaldecoder(codec)()
    line, read = 1, 0
    with open_bytes(source.path) as file:
        while True:
            chunk = file.read(CHUNK_BYTES)
            read += len(chunk)
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(codec, "replace")
                # What a decoder complains about may begin with bytes kept from an earlier chunk.
                offset = read - len(error.object) + error.start
                return DataError(
                    f"{source.path}, line {line + good.count(chr(10))}: byte"
                    f" 0x{error.object[error.start]:02x} (at offset {offset}) is not"
                    f" {source.encoding}; save the file as UTF-8, or set `encoding`"
                    " (cp1252 for a file from an older Windows program)."
                )
            if not chunk:
                return None
