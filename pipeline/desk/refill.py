"""More items while people work: trained and selected in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable

from hilt.pipeline.workspace import Workspace

LOOK_SECONDS = 1.0
PAUSE_SECONDS = 30.0  # after a refill that failed, or that brought nothing
LOW_PRIORITY = 10


class Refill:
    """Runs `hilt cycle --extend` whenever few items are left.

    Args:
        workspace: Which one.
        left: Says how many items are left.
    """

    def __init__(self, workspace: Workspace, left: Callable[[], int]) -> None:
        self._folder = workspace.folder
        self._device = workspace.device
        self._below = workspace.config.review.refill_below
        self._left = left
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self.state = ""

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._watch())

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
            if self._left() <= self._below and not await self._run():
                await asyncio.sleep(PAUSE_SECONDS)

    async def _run(self) -> bool:
        """Train and select once; tell whether it brought something."""
        self.state = "Training on what you said, and choosing the next items."
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "hilt.pipeline.cli", "cycle", str(self._folder), "--extend"),
            *("--device", self._device, "--json"),
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
