"""What was answered and what was spent, kept so that nothing is paid for twice."""

from __future__ import annotations

import math
import sqlite3
import weakref
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, cast, get_args

from hilt.errors import WorkspaceError

Finish = Literal["stop", "length", "refused"]
FILE = "answers.sqlite"
ROUNDING_USD = 1e-6  # by which sums may fall below zero
BUSY_SECONDS = 60  # how long to wait for another process that is writing
TABLE = """
    CREATE TABLE IF NOT EXISTS answers (
        key TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        cost_usd REAL NOT NULL,
        finish TEXT,
        content TEXT,
        input_tokens INTEGER,
        output_tokens INTEGER,
        asked_at TEXT DEFAULT CURRENT_TIMESTAMP
    )
"""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered.

    Attributes:
        content: Its words.
        finish: How it ended: by itself, at the longest answer allowed, or by refusing.
        input_tokens: What the server counted; None when it did not say.
        output_tokens: What the server counted; None when it did not say.
    """

    content: str
    finish: Finish = "stop"
    input_tokens: int | None = None
    output_tokens: int | None = None


class PaidAnswers:
    """Replies by the key of their request, in one SQLite file that others may read meanwhile.

    A request's worst price is written down before it is sent and corrected when its answer is
    there, so that whatever kills the process, `spent` is never below what was really spent.

    Args:
        folder: Where the file goes; None for memory only.

    Every method raises WorkspaceError where the file cannot be read or written, or is damaged.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    @cached_property
    def _database(self) -> sqlite3.Connection:
        path = ":memory:"
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = str(self.folder / FILE)
        database = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        weakref.finalize(self, database.close)
        database.execute("PRAGMA journal_mode = WAL")  # readers and the writer do not wait
        database.execute("PRAGMA synchronous = NORMAL")  # safe from a kill, without a sync a row
        database.execute(TABLE)
        return database

    def _row(self, statement: str, values: tuple[object, ...]) -> tuple[object, ...] | None:
        """Run a statement, and return the first row of what it gives."""
        try:
            row: tuple[object, ...] | None = self._database.execute(statement, values).fetchone()
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(str(error)) from error
        return row

    def _unusable(self, why: str) -> WorkspaceError:
        file = FILE if self.folder is None else self.folder / FILE
        return WorkspaceError(
            f"The answers of servers are kept in {file}, which cannot be used ({why}). Restore a"
            " copy of it, or move it away: then its answers are asked, and paid for, again."
        )

    def get(self, key: str) -> Reply | None:
        """Return the reply to a request, or None if there is none yet."""
        row = self._row(
            "SELECT content, finish, input_tokens, output_tokens FROM answers"
            " WHERE key = ? AND finish IS NOT NULL",
            (key,),
        )
        if row is None:
            return None
        content, finish, sent, received = row
        if not (
            isinstance(content, str)
            and finish in get_args(Finish)
            and isinstance(sent, int | None)
            and isinstance(received, int | None)
        ):
            raise self._unusable("an answer in it is damaged")
        return Reply(content, cast("Finish", finish), sent, received)

    def reserve(self, key: str, account: str, cost_usd: float) -> None:
        """Write down what a request may cost, before it is sent."""
        self._row(
            "INSERT INTO answers (key, account, cost_usd) VALUES (?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET cost_usd = cost_usd + excluded.cost_usd",
            (key, account, cost_usd),
        )

    def settle(self, key: str, correction_usd: float, reply: Reply | None = None) -> None:
        """Correct what was reserved, and keep the reply if there is one.

        Args:
            key: The request's.
            correction_usd: What it did cost, less what was reserved.
            reply: None when the request failed.
        """
        self._row("UPDATE answers SET cost_usd = cost_usd + ? WHERE key = ?", (correction_usd, key))
        if reply is not None:
            self._row(
                "UPDATE answers SET content = ?, finish = ?, input_tokens = ?, output_tokens = ?"
                " WHERE key = ?",
                (reply.content, reply.finish, reply.input_tokens, reply.output_tokens, key),
            )

    def spent(self, account: str) -> float:
        """Add up what was spent on an account, in USD, what is on its way included."""
        row = self._row("SELECT TOTAL(cost_usd) FROM answers WHERE account = ?", (account,))
        total = row[0] if row else None
        if not isinstance(total, float) or not -ROUNDING_USD <= total < math.inf:
            raise self._unusable(f"the amount spent adds up to {total}")
        return max(0.0, total)
