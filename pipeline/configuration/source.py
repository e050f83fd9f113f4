"""The `pool` and `test` sections: where items come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hilt.pipeline.configuration.paths import DATA
from hilt.pipeline.configuration.section import Section


class Source(Section):
    """Where items come from, and which columns to read."""

    path: Annotated[str, DATA] = Field(
        description="A .csv, .tsv, .txt, .json, .jsonl, .parquet or .xlsx file (also with .gz or"
        " .zst), a folder saved by `datasets`, or the name of a dataset on the hub"
        " (`hub:owner/name`). Relative to the configuration's folder."
    )
    text: str = Field(
        "text",
        description="The column with the text; one inside of an object has dots: `data.text`.",
    )
    id: str | None = Field(
        None,
        description="The column with a unique id. Without it an id is made from the content.",
    )
    label: str | None = Field(
        None,
        description="The column with known labels. In `pool` it is the answer key of the simulated"
        " reviewer and nothing else reads it; in `test` it is what students are measured against.",
    )
    split: str = Field("train", description="Which split of a saved or hub dataset to read.")
    encoding: str | None = Field(
        None,
        description="How a text file is encoded. Unset: as its byte order mark says, else UTF-8.",
    )
    delimiter: str | None = Field(
        None,
        min_length=1,
        max_length=1,
        description="The character between the fields of delimited text. Unset: it is found.",
    )
    quoting: Literal["auto", "fields", "none"] = Field(
        "auto",
        description='What `"` means in delimited text. `fields`: it encloses fields, which may'
        " then hold delimiters and line breaks. `none`: it is a character like others. `auto`:"
        " whichever fits the whole file.",
    )


class TestSource(Source):
    """Labelled items to measure on, never selected from and never trained on."""

    __test__ = False
    label: str = Field("label", description="The column with the true labels.")
