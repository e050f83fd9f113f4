"""What comes next while people work: training and selecting, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hilt.pipeline.reviewing.desk.ahead import Ahead
from hilt.pipeline.workspace.files import WorkspaceFiles

if TYPE_CHECKING:
    from hilt.pipeline.reviewing.next_steps import NextStep

LOOK_SECONDS = 1.0
PAUSE_SECONDS = 30.0  # after a refill that failed, or that brought nothing
LOW_PRIORITY = 10
DOING = {
    "cycle": "Training on your decisions, and choosing the next items.",
    "select": "Choosing the next items.",
    "propose": "Proposing again.",
}


class Refill:
    """Runs the command that comes next: when asked to, and by itself whenever few items are left.

    Args:
        files: Of which workspace.
        ahead: Says what comes next.
        left: Says how many items are left.
        refresh: Reads what other processes did, its own among them.
        live: Whether it looks by itself.
    """

    def __init__(
        self,
        files: WorkspaceFiles,
        ahead: Ahead,
        left: Callable[[], int],
        refresh: Callable[[], Awaitable[None]],
        *,
        live: bool,
    ) -> None:
        self.live = live
        self.state = ""
        self.busy = False
        self._files = files
        self._below = files.config.review.refill_below
        self._ahead = ahead
        self._left = left
        self._refresh = refresh
        self._task: asyncio.Task[object] | None = None
        self._process: asyncio.subprocess.Process | None = None

    def start(self) -> None:
        """Begin to look, if it is to look by itself."""
        if self.live:
            self._task = asyncio.create_task(self._watch())

    def begin(self) -> None:
        """Do what comes next once, unless that happens already."""
        if not self.live and (self._task is None or self._task.done()):
            self.busy, self.state = True, "Just a moment."
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
        """Do what comes next, if anything does; tell whether it brought items."""
        self.busy = True
        try:
            step = await self._ahead.step()
            if step is None or step.finished:
                self.state = ""
                return False
            self.state = DOING[str(step.words[0])]
            return await self._brings(step)
        finally:
            self.busy = False
            self._ahead.forget()

    async def _brings(self, step: NextStep) -> bool:
        """Run a command; tell whether it brought items."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hilt.pipeline.cli", *self._arguments(str(step.words[0]))),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        os.setpriority(os.PRIO_PROCESS, self._process.pid, LOW_PRIORITY)
        result, errors = await self._process.communicate()
        if self._process.returncode == 0:
            self.state = ""  # what comes next now is said beside it
            return bool(json.loads(result).get("batch"))
        lines = errors.decode(errors="replace").strip().splitlines()
        self.state = f"It failed. {lines[-1] if lines else ''}".strip()
        return False

    def _arguments(self, command: str) -> list[str]:
        """Complete a command; whoever takes an answer back meanwhile keeps that item."""
        arguments = [command, str(self._files.folder), "--json"]
        if command != "select":  # it loads no model
            arguments += ["--device", self._files.device]
        return [*arguments, "--extend"] if command == "cycle" else arguments
