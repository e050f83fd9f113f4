"""An encoder so small that a test makes and trains it in a moment."""

from pathlib import Path

import torch
from transformers import AutoTokenizer, BertConfig, BertModel

WORDS = ["goal", "match", "team", "vote", "law", "state", "bank", "share", "price", "the"]


def save_tiny_encoder(folder: Path) -> str:
    """Save a BERT of two layers, untrained, with a dozen words; its vectors are means."""
    (folder / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])
    )
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=5 + len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
    )
    BertModel(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(folder, model_max_length=32).save_pretrained(folder)
    return str(folder)
