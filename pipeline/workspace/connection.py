"""The database of a workspace: opened to write or only to read, and its faults as sentences."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    SQLAlchemyError,
)

from hilt.errors import ConfigError, MissingExtraError, WorkspaceError
from hilt.extras import pip_install
from hilt.pipeline.workspace.column_types import UnreadableValueError

ALLOWED = "allowed: sqlite:///FILE.db, postgresql://USER@HOST/NAME"
# What to do, by a word of what the database says.
WAYS_ON = {
    "locked": "another program is writing to it; wait until that ends, or stop it",
    "full": "free space on its disk, and run the same command again",
    "readonly": "it can be read but not written here; work on a copy, or correct its permissions",
    "unable to open": "correct its path or its permissions",
    "this hilt knows": "a newer hilt wrote it; upgrade hilt",
    "connect": "start the server, or correct `database` in the configuration",
}
CHECKED_BYTES = 100_000_000
PUT_BACK = (
    "restore a copy of it, or make a new workspace and import what `hilt export --decisions` wrote"
)
DAMAGED = f"it is damaged; {PUT_BACK}"


def read_url(url: str | Path) -> URL:
    """Read where a database is; a path means SQLite.

    Raises:
        ConfigError: If it is no URL, or of a database that hilt does not use.
    """
    if isinstance(url, Path):
        return URL.create("sqlite", database=str(url))
    try:
        read = make_url(url)
    except (ArgumentError, ValueError) as error:
        # A password may stand in what could not be taken apart.
        shown = "the URL" if "@" in url else repr(url)
        raise ConfigError(f"`database`: {shown} cannot be read: {error}; {ALLOWED}.") from None
    name = read.get_backend_name()
    if name not in ("sqlite", "postgresql", "postgres"):
        raise ConfigError(f"`database` has the kind {name!r}; {ALLOWED}.")
    if name == "sqlite" and read.database in (None, "", ":memory:"):
        raise ConfigError(
            f"`database` is {url!r}, which disappears when a command ends; {ALLOWED}."
        )
    plain = read.drivername in ("postgresql", "postgres")
    return read.set(drivername="postgresql+psycopg") if plain else read


def open_engine(url: URL) -> Engine:
    """Make what connects to a database, as it is first asked.

    Raises:
        ConfigError: If there is no such driver.
        MissingExtraError: If the driver is not installed.
    """
    sqlite = url.get_backend_name() == "sqlite"
    only_read = _only_readable(url) if sqlite else None
    try:
        engine = create_engine(only_read or url)
    except NoSuchModuleError:
        raise ConfigError(
            f"`database` names the driver {url.drivername!r}, which does not exist; {ALLOWED}."
        ) from None
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"The database needs the package {error.name!r}; install it with"
            f" {pip_install('postgresql')}."
        ) from None
    if sqlite:
        event.listen(engine, "connect", _let_wait if only_read else _prepare)
    return engine


@contextmanager
def faults_of(url: URL) -> Iterator[None]:
    """Turn what a database says of itself into a sentence.

    What says that hilt itself is wrong, a constraint that does not hold, passes through.

    Raises:
        WorkspaceError: If it is locked, full, damaged, out of reach, ...
    """
    try:
        yield
    except IntegrityError:
        raise
    except (SQLAlchemyError, json.JSONDecodeError, UnreadableValueError) as error:
        said = error.orig if isinstance(error, DBAPIError) else error
        reason = str(said).strip().partition("\n")[0]
        way_on = next((way for word, way in WAYS_ON.items() if word in reason), DAMAGED)
        raise WorkspaceError(f"{shown(url)} cannot be used: {reason}; {way_on}.") from None


def check_pages(engine: Engine) -> None:
    """Look whether an SQLite file is whole, unless it is so large that this takes a second.

    A page that was overwritten may otherwise read as one without rows.

    Raises:
        DatabaseError: If it is not.
    """
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        pages, size = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_count", "page_size")
        )
        if pages * size > CHECKED_BYTES:
            return
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if found != "ok":
        raise DatabaseError("PRAGMA quick_check", None, ValueError(found))


def is_gone(url: URL) -> bool:
    """Tell whether there is no file, which SQLite would make, and empty."""
    return url.get_backend_name() == "sqlite" and not Path(url.database or "").exists()


def shown(url: URL) -> str:
    """Name a database in a message, without its password."""
    return url.database if url.get_backend_name() == "sqlite" and url.database else repr(url)


def _only_readable(url: URL) -> URL | None:
    """Say how to open an SQLite file that cannot be written; None where it can, or is not there.

    SQLite itself wants to write beside a file that it reads, unless it is told that nobody else
    writes (`immutable`). That does not hold where it finds a log of somebody who does.
    """
    path = Path(url.database or "")
    if not path.is_file() or (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return None
    log = path.with_name(path.name + "-wal")
    live = log.exists() and log.stat().st_size > 0
    how = {"mode": "ro"} if live else {"immutable": "1"}
    return url.set(
        database=f"file:{quote(str(path.resolve()))}", query={**url.query, **how, "uri": "true"}
    )


def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI value
    for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _let_wait(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI value
    connection.execute("PRAGMA busy_timeout=5000")
