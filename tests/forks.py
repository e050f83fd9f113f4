"""Code that runs in a process of its own, for tests of locks, kills and servers.

Each is forked from one process that has imported hilt: the imports take seconds, and are not what
these tests are about.
"""

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "sentence_transformers",
        "hilt.pipeline.cli",
        "hilt.pipeline.cycle",
        "hilt.pipeline.reviewing.serving",
        "hilt.pipeline.benchmarking.benchmark",
    ]
)

BEGIN = """
import os, sys
os.dup2(output.fileno(), 1)
output.close()
sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
sys.argv = ["-c", *arguments]
"""


class Forked:
    """A running process and what it prints, with the names of `subprocess.Popen`."""

    def __init__(self, process: ForkServerProcess, output: Connection) -> None:
        self._process = process
        self.stdout = os.fdopen(os.dup(output.fileno()), encoding="utf-8")
        self.pid = process.pid or 0

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end; the exit code, negative for a signal, None while it runs on."""
        self._process.join(timeout)
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Kill it, unless it is over, and close what it printed."""
        self.kill()
        self.wait()
        self.stdout.close()


def fork(code: str, *arguments: object) -> Forked:
    """Run code in another process; whoever calls ends it."""
    ours, its = FORKS.Pipe(duplex=False)
    names = {"output": its, "arguments": [*map(str, arguments)], "__name__": "__main__"}
    process = FORKS.Process(target=exec, args=(BEGIN + code, names))
    process.start()
    its.close()
    with ours:
        return Forked(process, ours)


@contextmanager
def forked(code: str, *arguments: object) -> Iterator[Forked]:
    """Run code in another process, and end it at the end."""
    running = fork(code, *arguments)
    try:
        yield running
    finally:
        running.end()


# What ends a process before one of its writes: `argv` is the folder that it writes to, and which.
BEFORE_A_FILE = """
import os, signal, sys

def watch(name, arguments, left=[int(sys.argv[2])]):
    writes = name in ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "sqlite3.connect")
    writes = writes or (name == "open" and isinstance(arguments[2], int) and arguments[2] & 3)
    if writes and sys.argv[1] in str(arguments[0]):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
"""
BEFORE_A_STATEMENT = """
import os, signal, sys
from sqlalchemy import Engine, event

def watch(statement, left=[int(sys.argv[2])]):
    left[0] -= statement.lstrip().startswith(("CREATE", "INSERT"))
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(Engine, "connect", lambda connection, _: connection.set_trace_callback(watch))
"""
