"""Write the map in CONTRIBUTING.md: which folder imports which, read from the imports.

python scripts/write_map.py
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "CONTRIBUTING.md"
BEGIN, END = "<!-- map -->\n", "<!-- end of the map -->"
FOLDERS = ("pipeline", "proposers", "review", "selectors")
PUBLIC = ROOT / "hilt" / "__init__.py"  # it names what stands above all; nothing below imports it

Graph = Mapping[str, set[str]]


def read_imports() -> Graph:
    """Read which room of the house imports which others, itself left out."""
    found: dict[str, set[str]] = defaultdict(set)
    paths = [*(ROOT / "hilt").glob("*.py"), *(ROOT / "hilt" / "reading").glob("*.py")]
    for folder in FOLDERS:
        paths += (ROOT / folder).rglob("*.py")
    for path in paths:
        if path != PUBLIC:
            module = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
            own = _room(module if module.startswith("hilt.") else f"hilt.{module}")
            found[own] |= {_room(name) for name in _imported(path)} - {own}
    return found


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        yield from (name for name in names if name.startswith("hilt."))


def _room(module: str) -> str:
    """Name the folder at the root, or what stands in that of the pipeline.

    >>> _room("hilt.pipeline.training.train"), _room("hilt.selectors.badge"), _room("hilt.files")
    ('training', 'selectors', 'hilt')
    """
    folder, *inside = module.split(".")[1:]
    if folder == "pipeline":
        return inside[0]
    return folder if folder in FOLDERS else "hilt"


def without_detours(graph: Graph) -> Graph:
    """Leave out an arrow where another way leads to the same room."""
    reached: dict[str, set[str]] = {}

    def reach(room: str) -> set[str]:
        if room not in reached:
            below = graph.get(room, set())
            reached[room] = below.union(*map(reach, below))
        return reached[room]

    return {
        room: {each for each in below if not any(each in reach(other) for other in below)}
        for room, below in graph.items()
    }


def draw() -> str:
    """Draw the rooms and their arrows as a Mermaid flowchart."""
    graph = without_detours(read_imports())
    stages = sorted(set(graph) - {*FOLDERS, "hilt"})
    arrows = [f"    {room} --> {below}" for room in sorted(graph) for below in sorted(graph[room])]
    inside = ("    subgraph pipeline", *(f"        {stage}" for stage in stages), "    end")
    return "\n".join(("```mermaid", "flowchart TD", *inside, *arrows, "```", ""))


def write_page(text: str) -> str:
    """Put the drawing between the two marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{draw()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(write_page(PAGE.read_text("utf-8")), encoding="utf-8")
