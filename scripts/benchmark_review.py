"""How long from a key press until the next item is painted, in a real browser.

    python scripts/benchmark_review.py --json

A server with a queue of 10,000 items, Debian's Chromium, and a press of Enter, a digit or space for
every item. A time runs from the key event's own time stamp until after the frame in which the next
item's text was painted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from scripts.support.rehearsal import made_up_texts, rehearsal_workspace

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
)
PORT = 8698
KEYS = ("Enter", "1", "Enter", "Space", "3", "Enter", "5")

# Runs in the page: from a key's time stamp to the task after the frame that paints the new text.
WATCH = """
window.painted = [];
addEventListener("keydown", (event) => { window.pressed = event.timeStamp; }, true);
new MutationObserver(() => {
  const pressed = window.pressed;
  if (pressed === undefined) return;
  window.pressed = undefined;
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => window.painted.push(performance.now() - pressed);
    channel.port2.postMessage(null);
  });
}).observe(document.getElementById("text"), { childList: true });
"""


def measure(page: Page, presses: int, pause_ms: float) -> list[float]:
    """Press keys at a person's fastest pace, and return the milliseconds until each was painted."""
    page.wait_for_selector("#item[aria-busy=false]")
    page.evaluate(WATCH)
    for number in range(presses):
        page.keyboard.press(KEYS[number % len(KEYS)])
        page.wait_for_function("number => window.painted.length > number", arg=number)
        page.wait_for_timeout(pause_ms)
    times: list[float] = page.evaluate("window.painted")
    return times


def main() -> None:
    """Measure, and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--presses", type=int, default=300)
    parser.add_argument("--pause", type=float, default=100, help="milliseconds between two items")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not CHROMIUM.exists():
        raise SystemExit("Chromium is not installed; get it with `apt-get install chromium`.")
    with tempfile.TemporaryDirectory() as name:
        # Blind items take no Enter, and here every key shall bring the next one.
        workspace = rehearsal_workspace(
            Path(name), made_up_texts(arguments.items), audited=False, review={"blind_share": 0}
        )
        command = ("review", str(workspace.folder), "--no-browser", "--port", str(arguments.port))
        server = subprocess.Popen(
            [sys.executable, "-m", "hilt.pipeline.cli", *command], stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        printed = server.stdout.readline().split()
        address = next(word for word in printed if word.startswith("http"))
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                page.goto(address)
                times = measure(page, arguments.presses, arguments.pause)
                browser.close()
        finally:
            server.kill()
            server.wait()
            server.stdout.close()
        stored = len(workspace.database.decisions())
        workspace.database.close()
    p50, p95, p99 = np.percentile(times, [50, 95, 99])
    result = {
        "items": arguments.items,
        "presses": len(times),
        "stored": stored,
        "p50_ms": round(float(p50), 1),
        "p95_ms": round(float(p95), 1),
        "p99_ms": round(float(p99), 1),
        "load_average": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(result, indent=1) if arguments.json else result)


if __name__ == "__main__":
    main()
