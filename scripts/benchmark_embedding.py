"""Texts per second of `SentenceEmbedder`, beside `SentenceTransformer.encode` as it comes.

Both run in this process on the same texts, in turn, so that a busy machine slows both. Without
`--data` it reads two files that are not in this repository: configs/benchmarks/banking77.yaml and
agnews.yaml say where they come from.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer

from hilt.proposers.models.encoder import (
    DEFAULT_MODEL,
    quiet_loading,
    resolve_device,
    resolve_encoder,
)
from hilt.proposers.models.sentence_embedder import SentenceEmbedder

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CORPORA = [DATA / "banking77_train.csv", DATA / "agnews_train.csv"]

Embed = Callable[[list[str]], npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One corpus, embedded both ways; the rates are medians over the repeats."""

    corpus: str
    items: int
    baseline_texts_per_second: float
    hilt_texts_per_second: float
    ratio: float
    smallest_cosine: float
    mean_cosine: float


def read_texts(path: Path, column: str, items: int) -> list[str]:
    """Read the first `items` texts of a CSV file."""
    with path.open(encoding="utf-8", newline="") as stream:
        return [row[column] for row in islice(csv.DictReader(stream), items)]


def timed(embed: Embed, texts: list[str]) -> tuple[float, npt.NDArray[np.float32]]:
    """Embed once, and say how many seconds it took."""
    start = time.perf_counter()
    vectors = embed(texts)
    return time.perf_counter() - start, vectors


def compare(
    corpus: str, texts: list[str], baseline: Embed, ours: Embed, repeats: int
) -> Comparison:
    """Embed `texts` both ways in turn, after one small warm-up each."""
    baseline(texts[:64])
    ours(texts[:64])
    pairs = [(timed(baseline, texts), timed(ours, texts)) for _ in range(repeats)]
    baseline_rate = len(texts) / median(first[0] for first, _ in pairs)
    hilt_rate = len(texts) / median(second[0] for _, second in pairs)
    (_, expected), (_, found) = pairs[-1]
    cosines = np.einsum("nd,nd->n", expected, found, dtype=np.float64)
    lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(found, axis=1)
    cosines /= lengths
    return Comparison(
        corpus=corpus,
        items=len(texts),
        baseline_texts_per_second=round(baseline_rate, 1),
        hilt_texts_per_second=round(hilt_rate, 1),
        ratio=round(hilt_rate / baseline_rate, 2),
        smallest_cosine=round(float(cosines.min()), 5),
        mean_cosine=round(float(cosines.mean()), 5),
    )


def as_table(comparisons: list[Comparison]) -> str:
    """Lay the comparisons out for a terminal."""
    lines = ["corpus               items  baseline/s   hilt/s  ratio  smallest cos  mean cos"]
    lines += [
        f"{row.corpus:20} {row.items:5}  {row.baseline_texts_per_second:10.1f}"
        f" {row.hilt_texts_per_second:8.1f} {row.ratio:6.2f}"
        f"  {row.smallest_cosine:12.5f}  {row.mean_cosine:8.5f}"
        for row in comparisons
    ]
    return "\n".join(lines)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", default=CORPORA, help="CSV files")
    parser.add_argument("--text", default="text", help="the column with the text")
    parser.add_argument("--items", type=int, default=1500, help="texts of each file")
    parser.add_argument("--repeats", type=int, default=3, help="runs, of which the median counts")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="hub name or folder")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda", "mps"])
    parser.add_argument("--batch-tokens", type=int, help="tokens in one of hilt's batches")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def main() -> None:
    """Compare on every corpus and print the result."""
    arguments = parse_arguments()
    device = resolve_device(arguments.device)
    with quiet_loading():
        model = SentenceTransformer(resolve_encoder(arguments.model), device=device)
    embedder = SentenceEmbedder(arguments.model, device=device, batch_tokens=arguments.batch_tokens)

    def baseline(texts: list[str]) -> npt.NDArray[np.float32]:
        return model.encode(texts, batch_size=32, show_progress_bar=False)

    comparisons = []
    for path in arguments.data:
        texts = read_texts(path, arguments.text, arguments.items)
        comparisons.append(compare(path.stem, texts, baseline, embedder.embed, arguments.repeats))
    if arguments.json:
        print(json.dumps([asdict(row) for row in comparisons], indent=2))
    else:
        print(as_table(comparisons))


if __name__ == "__main__":
    main()
