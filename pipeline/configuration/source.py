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
        description="The column with the text; write the path of a nested one with dots:"
        " `data.text`.",
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="For a `medium` of your own: the columns that it reads, by the names that it"
        " gives them. Unset: columns of these names.",
    )
    id: str | None = Field(
        None,
        description="The column with a unique id. Without it, ids are made from the content.",
    )
    label: str | None = Field(
        None,
        description="The column with known labels. In `pool` it is the answer key, read only by the"
        " simulated reviewer; in `test` students are measured against it. Answers to a `task` of"
        " your own are written as in files of answers.",
    )
    split: str = Field("train", description="Which split of a saved or hub dataset to read.")
    encoding: str | None = Field(
        None,
        description="Encoding of a text file. Unset: from its byte order mark, else UTF-8.",
    )
    delimiter: str | None = Field(
        None,
        min_length=1,
        max_length=1,
        description="The character between the fields of delimited text. Unset: detected.",
    )
    quoting: Literal["auto", "fields", "none"] = Field(
        "auto",
        description='What `"` means in delimited text. `fields`: it encloses fields, which may then'
        " contain delimiters and line breaks. `none`: it is an ordinary character. `auto`:"
        " whichever fits the whole file.",
    )

    def column_of(self, name: str) -> str:
        """Say which column holds what a medium calls by a name."""
        return {"text": self.text, **self.columns}.get(name, name)


class TestSource(Source):
    """Labelled items to measure on, never selected from and never trained on."""

    __test__ = False
    label: str = Field("label", description="The column with the true labels.")
