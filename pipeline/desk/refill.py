"""More items while people work: trained and selected in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable

from hilt.pipeline.workspace import Workspace

LOOK_SECONDS = 1.0
PAUSE_SECONDS = 30.0  # after a refill that failed, or that brought nothing
LOW_PRIORITY = 10


class Refill:
    """Runs `hilt cycle --extend`: when it is asked to, and by itself whenever few items are left.

    Args:
        workspace: Which one.
        left: Says how many items are left.
        refresh: Reads what other processes did, its own among them.
        live: Whether it looks by itself.
    """

    def __init__(
        self,
        workspace: Workspace,
        left: Callable[[], int],
        refresh: Callable[[], Awaitable[None]],
        *,
        live: bool,
    ) -> None:
        self.live = live
        self.state = ""
        self._workspace = workspace
        self._below = workspace.config.review.refill_below
        self._left = left
        self._refresh = refresh
        self._task: asyncio.Task[object] | None = None
        self._process: asyncio.subprocess.Process | None = None

    def start(self) -> None:
        """Begin to look, if it is to look by itself."""
        if self.live:
            self._task = asyncio.create_task(self._watch())

    def begin(self) -> None:
        """Train and select once, unless that happens already."""
        if not self.live and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop looking, and end what runs; a cycle may be stopped at any moment."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._refresh()  # nobody else may be there to look
            if self._left() <= self._below and not await self._run():
                await asyncio.sleep(PAUSE_SECONDS)

    async def _run(self) -> bool:
        """Train and select once; tell whether it brought something."""
        self.state = "Training on what you said, and choosing the next items."
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "hilt.pipeline.cli", "cycle", str(self._workspace.folder), "--extend"),
            *("--device", self._workspace.device, "--json"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        os.setpriority(os.PRIO_PROCESS, self._process.pid, LOW_PRIORITY)
        result, errors = await self._process.communicate()
        if self._process.returncode == 0:
            brought = json.loads(result)
            self.state = "" if brought["items"] else f"{brought['note']}."
            return bool(brought["items"])
        lines = errors.decode(errors="replace").strip().splitlines()
        self.state = f"No more items for now. {lines[-1] if lines else ''}".strip()
        return False
