"""Command lines as messages print them, so that they can be pasted into a shell as they stand."""

from __future__ import annotations

import os
import shlex
from pathlib import PurePath

PROGRAM = "hilt"


def command_line(*words: object, encoding: str = "utf-8") -> str:
    r"""Write a call of hilt for the shell, every word quoted where it needs to be.

    Args:
        words: The command and what follows it. A path that begins with a dash gets `./` in front,
            so that it is not read as an option.
        encoding: What the words can be shown in. A word with characters beyond it, or with ones
            that would act on a terminal, is written byte by byte as bash reads it: $'\xc3\xbc'.

    >>> command_line("select", PurePath("my work"))
    "hilt select 'my work'"
    """
    return " ".join(_quoted(_word(word), encoding) for word in (PROGRAM, *words))


def _word(word: object) -> str:
    text = str(word)
    return f"./{text}" if isinstance(word, PurePath) and text.startswith("-") else text


def _quoted(word: str, encoding: str) -> str:
    if word.isprintable() and _fits(word, encoding):
        return shlex.quote(word)
    return "$'" + "".join(map(_shown, os.fsencode(word))) + "'"


def _fits(word: str, encoding: str) -> bool:
    try:
        word.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _shown(byte: int) -> str:
    character = chr(byte)
    plain = character.isascii() and character.isprintable() and character not in "'\\"
    return character if plain else f"\\x{byte:02x}"
