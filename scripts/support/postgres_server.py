"""A PostgreSQL server of one's own, from Debian's package, for as long as it is needed."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hilt.errors import WorkspaceError

VERSIONS = Path("/usr/lib/postgresql")
USER = "postgres"  # made by Debian's package; the server refuses to run as root


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server in a temporary folder, give the URL of an empty database, and stop it.

    It listens on a port of 127.0.0.1 that is free, and keeps its promises on disk as it does by
    default.

    Raises:
        WorkspaceError: If PostgreSQL is not installed, or does not start.
    """
    programs = _programs()
    user = USER if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    with tempfile.TemporaryDirectory(prefix="hilt-postgres-") as name:
        folder = Path(name)
        if os.getuid() == 0:
            shutil.chown(folder, USER)
        data, port = folder / "data", _free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        control = (programs / "pg_ctl", f"--pgdata={data}", "--wait", f"--log={folder / 'log'}")
        _run(programs / "initdb", "--auth=trust", "--no-instructions", f"--pgdata={data}")
        _run(*control, f"--options={options}", "start")
        try:
            _run(programs / "createdb", "--host=127.0.0.1", f"--port={port}", "hilt")
            yield f"postgresql://{user}@127.0.0.1:{port}/hilt"
        finally:
            _run(*control, "--mode=fast", "stop")


def _programs() -> Path:
    versions = sorted(VERSIONS.glob("*/bin/initdb"))
    if not versions:
        raise WorkspaceError(
            "PostgreSQL is not installed; get it with `apt-get install postgresql`."
        )
    return versions[-1].parent


def _run(*command: object) -> None:
    as_user = ["runuser", "-u", USER, "--"] if os.getuid() == 0 else []
    done = subprocess.run(
        [*as_user, *map(str, command)], cwd="/", capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise WorkspaceError(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
