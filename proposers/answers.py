"""What was answered and what was spent, kept so that nothing is paid for twice."""

from __future__ import annotations

import sqlite3
import weakref
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

FILE = "answers.sqlite"
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
    finish: Literal["stop", "length", "refused"] = "stop"
    input_tokens: int | None = None
    output_tokens: int | None = None


class Answers:
    """Replies by the key of their request, in one SQLite file that others may read meanwhile.

    A request's worst price is written down before it is sent and corrected when its answer is
    there, so that whatever kills the process, `spent` is never below what was really spent.

    Args:
        folder: Where the file goes; None for memory only.
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

    def get(self, key: str) -> Reply | None:
        """Return the reply to a request, or None if there is none yet."""
        row = self._database.execute(
            "SELECT content, finish, input_tokens, output_tokens FROM answers"
            " WHERE key = ? AND finish IS NOT NULL",
            (key,),
        ).fetchone()
        return None if row is None else Reply(*row)

    def reserve(self, key: str, account: str, cost_usd: float) -> None:
        """Write down what a request may cost, before it is sent."""
        self._database.execute(
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
        self._database.execute(
            "UPDATE answers SET cost_usd = cost_usd + ? WHERE key = ?", (correction_usd, key)
        )
        if reply is not None:
            self._database.execute(
                "UPDATE answers SET content = ?, finish = ?, input_tokens = ?, output_tokens = ?"
                " WHERE key = ?",
                (reply.content, reply.finish, reply.input_tokens, reply.output_tokens, key),
            )

    def spent(self, account: str) -> float:
        """Add up what was spent on an account, in USD, what is on its way included."""
        (total,) = self._database.execute(
            "SELECT TOTAL(cost_usd) FROM answers WHERE account = ?", (account,)
        ).fetchone()
        return float(total)
