"""A project of the toy medium `pairs`: do two sentences say the same of an animal or not."""

import csv
from pathlib import Path
from typing import Any

import yaml

ANIMALS = ["cat", "dog", "horse", "cow", "lion", "eagle", "whale", "spider", "rabbit", "tiger"]
SAYINGS = ("The {} slept all day", "A wild {} ran away", "My {} likes to eat")
LABELS = ("same", "different")


def rows() -> list[dict[str, str]]:
    """Sixty pairs, half of each label."""
    pairs = []
    for number, animal in enumerate(ANIMALS):
        for place, saying in enumerate(SAYINGS):
            left = saying.format(animal)
            unlike = SAYINGS[(place + 1) % 3].format(ANIMALS[(number + place + 1) % 10])
            for label, right in zip(LABELS, (f"{left} again", unlike), strict=True):
                key = f"{animal}-{place}-{label}"
                pairs.append({"id": key, "left": left, "second": right, "label": label})
    return pairs


def configure(folder: Path, **changes: Any) -> Path:
    """Write the pool and a configuration that names the toys."""
    with (folder / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ["id", "left", "second", "label"])
        table.writeheader()
        table.writerows(rows())
    config = {
        "medium": "tests.toys.pairs:Pairs",
        "pool": {
            "path": "pairs.csv",
            "columns": {"right": "second"},
            "id": "id",
            "label": "label",
        },
        "labels": {"same": "both say the same", "different": "they say different things"},
        "embedder": {"kind": "tests.toys.pairs:BagOfPairs", "settings": {"seed": 1}},
        "proposers": [{"kind": "neighbours", "k": 3}],
        "batch": {"size": 15, "audit": 0.2},
        "device": "cpu",
        **changes,
    }
    (folder / "pairs.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return folder / "pairs.yaml"
