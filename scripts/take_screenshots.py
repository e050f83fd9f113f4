"""Take the pictures of the review screen that stand in docs/screens, in a real browser.

    python scripts/take_screenshots.py

The texts are made up, the people in them too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from hilt.pipeline.reviewing.answer_files import record
from hilt.pipeline.reviewing.reviewers import add_reviewer
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision
from scripts.support.rehearsal import rehearsal_workspace

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
)
PORT = 8697
LABELS = {
    "billing": "About invoices, prices, refunds and payments",
    "delivery": "Where a parcel is, when it comes, and what became of it on the way",
    "returns": "Sending something back, or exchanging it",
    "account": "Signing in, passwords, addresses and deleting one's data",
    "praise": "Somebody is happy and wants nothing",
}
GUIDELINES = {
    "billing": "Money that was **paid or asked for**.\n\n> Why was I charged twice in May?\n\n"
    "Not a refund for something sent back: that is *returns*.",
    "returns": "The customer wants to **give something back**.\n\n> The shoes are too small, how"
    " do I exchange them?",
}
TEXTS = (
    ("billing", "Why was I charged twice for the same lamp? My statement shows 49.90 on both the"
     " 3rd and the 4th of May."),
    ("delivery", "The tracking page has said \u201cout for delivery\u201d since Tuesday. Has my"
     " parcel been lost?"),
    ("returns", "The shoes are lovely but a size too small. Can I exchange them in the shop, or do"
     " I have to send them back?"),
    ("praise", "Your driver carried the sofa up four floors and would not even take a coffee."
     " Please tell him thank you!"),
    ("account", "I no longer have the phone number that your sign-in code goes to. How do I get"
     " back into my account?"),
    ("delivery", "You say the desk was handed to a neighbour. I have asked all of them and nobody"
     " has it."),
    ("billing", "Could you send me the invoice for order 20817 with our VAT number on it?"),
    ("returns", "The kettle leaks. I want my money back, not another kettle."),
    ("delivery", "Can the parcel come on Saturday? Nobody is at home during the week."),
    ("account", "Please delete everything that you have stored about me, and confirm it in"
     " writing."),
    ("billing", "The voucher from your newsletter was not taken off the total."),
    ("delivery", "Half of my order arrived today. When does the other half come?"),
    ("praise", "Best unpacking of my life: no plastic at all. Keep going."),
    ("returns", "I sent the jacket back three weeks ago and have heard nothing since."),
    ("billing", "I was told that shipping is free from 50, and I paid 5.90 for a basket of 61."),
    ("delivery", "The box was open and the glass inside broken. The driver was gone before I saw."),
    ("account", "My password is refused although the reset mail says that it was changed."),
    ("delivery", "Where is my parcel?"),
    ("returns", "Which label do I print if I send two orders back in one box?"),
    ("delivery", "The courier left the parcel in the rain, and the books are soaked."),
    ("billing", "Please change my payment to direct debit from next month."),
    ("praise", "Just a line to say that the chair is perfect."),
    ("account", "How do I change the delivery address for good, and not only for one order?"),
    ("delivery", "It says that a signature was given. It was not mine."),
)  # fmt: skip
PHONE = {"device_scale_factor": 2, "is_mobile": True, "has_touch": True}
UPRIGHT: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, **PHONE}
ON_ITS_SIDE: dict[str, Any] = {"viewport": {"width": 740, "height": 360}, **PHONE}
INTENTS = [f"{about} {what}" for about in LABELS for what in (
    "where", "when", "how", "why", "refused", "late", "double", "wrong", "missing", "changed",
    "question", "complaint", "thanks", "urgent", "other",
)]  # fmt: skip


@contextmanager
def served(workspace: Workspace) -> Iterator[str]:
    """Serve a workspace, and give the address that lets in."""
    command = ("review", workspace.folder.name, "--no-browser", "--port", str(PORT))
    server = subprocess.Popen(
        [sys.executable, "-m", "hilt.pipeline.cli", *command],
        cwd=workspace.folder.parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    printed = server.stdout.readline().split()
    try:
        yield next(word for word in printed if word.startswith("http"))
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
        workspace.database.close()


def tickets(folder: Path, labels: list[str] | dict[str, str], **review: Any) -> Workspace:  # noqa: ANN401
    """Make a workspace of the texts."""
    many = isinstance(labels, list)
    return rehearsal_workspace(
        folder / "support",
        [text for _, text in TEXTS],
        labels=labels,
        proposed=[INTENTS[number] if many else label for number, (label, _) in enumerate(TEXTS)],
        ready=True,
        duplicates={"near": False},
        review={"blind_share": 0.0, "gold_share": 0.0, **review},
    )


class Camera:
    """Opens pages and keeps pictures of them."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.browser = browser
        self.folder = folder

    def open(self, address: str, path: str = "", **settings: Any) -> Page:  # noqa: ANN401
        """Be let in, and open a page once it has stopped loading."""
        settings = {"viewport": {"width": 1120, "height": 720}} | settings
        page = self.browser.new_page(**settings)
        page.goto(address)
        page.wait_for_load_state("networkidle")
        if path:
            page.goto(address.partition("?")[0] + path)
            page.wait_for_load_state("networkidle")
        return page

    def shoot(self, page: Page, name: str) -> None:
        """Take a picture of what is in view, and close the page."""
        page.wait_for_timeout(300)
        page.screenshot(path=self.folder / f"{name}.png")
        page.close()


def to_a_blind_one(page: Page) -> None:
    """Skip items until one is shown without its proposal."""
    while "blind" not in (page.locator("#about").get_attribute("class") or ""):
        page.keyboard.press("Space")
        page.wait_for_timeout(200)


def one_by_one(camera: Camera, folder: Path) -> None:
    """Take the pictures of items one by one, and of a group."""
    with served(tickets(folder / "few", LABELS, guidelines=GUIDELINES)) as address:
        page = camera.open(address)
        for key in ("Enter", "Enter", "3", "Enter", "Enter"):
            page.keyboard.press(key)
            page.wait_for_timeout(2500)
        page.keyboard.press("Enter")
        page.keyboard.press("1")
        camera.shoot(page, "one-by-one")
        page = camera.open(address, color_scheme="dark")
        camera.shoot(page, "dark")
        page = camera.open(address)
        page.keyboard.press("h")
        camera.shoot(page, "guidelines")
        page = camera.open(address)
        page.keyboard.press("?")
        camera.shoot(page, "keys")
        camera.shoot(camera.open(address, **UPRIGHT), "phone")
        camera.shoot(camera.open(address, **ON_ITS_SIDE), "phone-on-its-side")
        page = camera.open(address, "bulk")
        page.keyboard.press("d")
        camera.shoot(page, "bulk")
        page = camera.open(address)
        to_a_blind_one(page)
        camera.shoot(page, "blind")
        camera.shoot(camera.open(address, "nowhere"), "wrong-page")
        page = camera.open(address)
        while not page.locator("#end").is_visible():
            page.keyboard.press("2")
            page.wait_for_timeout(1000)
        camera.shoot(page, "finished")


def many_labels(camera: Camera, folder: Path) -> None:
    """Take the picture of finding one label among many."""
    with served(tickets(folder / "many", INTENTS)) as address:
        page = camera.open(address)
        page.keyboard.press("/")
        page.keyboard.type("late")
        camera.shoot(page, "many-labels")
        for name, phone in (("upright", UPRIGHT), ("on-its-side", ON_ITS_SIDE)):
            page = camera.open(address, **phone)
            to_a_blind_one(page)
            camera.shoot(page, f"many-labels-{name}")
        page = camera.open(address, **UPRIGHT)
        page.keyboard.press("/")
        camera.shoot(page, "many-labels-open")


def people(camera: Camera, folder: Path) -> None:
    """Take the pictures of signing in, and of a disagreement."""
    workspace = tickets(folder / "people", LABELS, overlap=2)
    token = add_reviewer(workspace, "Dana", adjudicator=True)
    add_reviewer(workspace, "Ann")
    record(
        workspace,
        [
            Decision("i7", "label", ("returns",), "Ann", comment="They want their money back."),
            Decision("i7", "label", ("billing",), "Bo"),
            Decision("i7", "label", ("returns",), "Cleo"),
        ],
    )
    with served(workspace) as address:
        camera.shoot(camera.open(address), "sign-in")
        page = camera.open(address)
        page.get_by_label("Your token").fill(token)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Disagreements").click()
        page.wait_for_selector("#opinions button")
        page.screenshot(path=camera.folder / "disagreements.png")
        page.get_by_role("link", name="One by one").click()
        page.wait_for_selector("#item[aria-busy=false]")
        while not page.locator("#end").is_visible():
            page.keyboard.press("1")
            page.wait_for_timeout(1000)
        camera.shoot(page, "own-end")


def main() -> None:
    """Take all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screens")
    arguments = parser.parse_args()
    if not CHROMIUM.exists():
        raise SystemExit("Chromium is not installed; get it with `apt-get install chromium`.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        camera = Camera(browser, arguments.out)
        for take in (one_by_one, many_labels, people):
            take(camera, Path(name))
        browser.close()


if __name__ == "__main__":
    main()
