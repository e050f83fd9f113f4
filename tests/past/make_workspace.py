"""Make `workspace/` and `release/`: what a hilt of commit 9715a6b left on somebody's disk.

Run once, with the code of that commit, in an empty folder whose path says nothing; what it wrote
was copied here. It is kept to say what stands in the fixture; a newer hilt cannot make it again.

    git worktree add past 9715a6b && mkdir -p /srv/tickets && cd /srv/tickets
    PYTHONPATH=past HF_HUB_OFFLINE=1 python make_workspace.py
"""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import hilt

SUBJECTS = {
    "billing": ["the invoice", "my card", "the refund", "the yearly plan", "a double charge"],
    "delivery": ["the parcel", "the courier", "my tracking number", "the pick-up point", "a box"],
    "login": ["my password", "the confirmation mail", "two-factor codes", "my account", "the app"],
}
COMPLAINTS = {
    "billing": ["shows the wrong amount", "was charged twice", "never reached my bank"],
    "delivery": ["has not arrived", "went to a neighbour", "was left in the rain"],
    "login": ["is not accepted", "locks me out every time", "cannot be reset"],
}
FRAMES = [
    "Hello, {} {}. Please help.",
    "Since Monday {} {}, and nobody answers.",
    "I write a third time: {} {}!",
]
CONFIG = """\
pool: {path: pool.csv, id: id, text: text, label: label}
labels:
  billing: Invoices, payments, refunds and charges
  delivery: Parcels, couriers and shipping
  login: Passwords, accounts and signing in
embedder: {precision: float32}
batch: {size: 20, audit: 0.2}
student: {kind: linear}
review: {overlap: 2}
"""


def main() -> None:
    """Write the pool and the configuration, turn the loop twice, release."""
    with Path("pool.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["id", "text", "label"])
        for number, (label, text) in enumerate(texts()):
            table.writerow([f"t{number:03}", text, label])
    Path("config.yaml").write_text(CONFIG, encoding="utf-8")
    work = hilt.init("workspace", "config.yaml", device="cpu")
    truth = {f"t{number:03}": label for number, (label, _) in enumerate(texts())}
    for name in ("ann", "bob"):
        hilt.add_reviewer(work, name, adjudicator=name == "ann")
    hilt.propose(work)
    first = hilt.select(work)
    hilt.record(work, answers(first, truth, "ann", 20) + answers(first, truth, "bob", 20))
    second = hilt.cycle(work)
    hilt.record(work, answers(second, truth, "ann", 12) + answers(second, truth, "bob", 8))
    hilt.cycle(work, partial=True)
    hilt.release(work, "release")
    work.database.close()


def texts() -> list[tuple[str, str]]:
    """List 135 texts with their labels, the labels taking turns."""
    made = {
        label: [
            frame.format(subject, complaint)
            for frame, subject, complaint in itertools.product(
                FRAMES, SUBJECTS[label], COMPLAINTS[label]
            )
        ]
        for label in SUBJECTS
    }
    return [
        (label, text)
        for row in zip(*made.values(), strict=True)
        for label, text in zip(made, row, strict=True)
    ]


def answers(
    batch: hilt.Batch, truth: dict[str, str], reviewer: str, count: int
) -> list[hilt.Decision]:
    """Answer the first items rightly, but for a skip, a flag and, of bob's, a mistake."""
    given = []
    for item in batch.items[:count]:
        label = truth[item.item_id]
        if reviewer == "bob" and item.rank == 3:
            label = next(name for name in SUBJECTS if name != label)
        given.append(
            hilt.Decision(item.item_id, "label", (label,), reviewer, batch.number, 4.0 + item.rank)
            if item.rank not in (5, 7)
            else hilt.Decision(
                item.item_id,
                "skip" if item.rank == 5 else "flag",
                (),
                reviewer,
                batch.number,
                9.0,
                comment="two matters in one" if item.rank == 7 else "",
            )
        )
    return given


if __name__ == "__main__":
    main()
