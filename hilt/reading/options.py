"""What a user may say of a file that cannot be told by its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

from hilt.errors import ConfigError
from hilt.reading.dialects import Quoting
from hilt.registry import nearest

HUB = "hub:"  # before the name of a dataset on the hub

Synonyms = tuple[tuple[str, str], ...]
Format = Literal["delimited", "json", "parquet", "workbook"]


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is to be read; what is not said is found out.

    Attributes:
        encoding: How text is encoded; a byte order mark goes before it. None: UTF-8.
        delimiter: What separates fields of delimited text.
        quoting: Whether `"` encloses fields (`fields`), or is a character like others (`none`).
        split: Which split of a saved dataset, or of one on the hub.
        wanted: Columns that are likely to be there, which tells delimiters apart.
        format: What the file is, instead of what its name and content say.
        synonyms: Other names of columns, each as (hilt's own, the other): what the pool's file
            calls them.
    """

    encoding: str | None = None
    delimiter: str | None = None
    quoting: Quoting = "auto"
    split: str = "train"
    wanted: tuple[str, ...] = ()
    format: Format | None = None
    synonyms: Synonyms = ()

    @classmethod
    def checked(cls, *, encoding: str | None, delimiter: str | None, quoting: str) -> Options:
        """Make options of what stood on a command line.

        Raises:
            ConfigError: If one is not allowed.
        """
        if quoting not in get_args(Quoting):
            raise ConfigError(
                f"`quoting` is {quoting!r}.{nearest(quoting, get_args(Quoting))}"
                f" Allowed: {', '.join(get_args(Quoting))}."
            )
        delimiter = "\t" if delimiter in ("\\t", "tab") else delimiter
        return cls(encoding=encoding, delimiter=delimiter, quoting=cast("Quoting", quoting))

    def __post_init__(self) -> None:
        if self.delimiter is not None and (
            len(self.delimiter) != 1 or self.delimiter in '"\r\n\0\ufeff'
        ):
            raise ConfigError(
                f"`delimiter` is {self.delimiter[:20]!r}; it must be one character, such as ',',"
                " ';', '|' or a tab."
            )
