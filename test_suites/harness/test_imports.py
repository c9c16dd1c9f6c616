"""Arrows of imports point one way."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import hil

ROOT = Path(hil.__file__).parent
SUITES = Path(__file__).resolve().parents[1]
FACES = {"hil.plugin", "hil.cli", "hil.cli_release", "hil.__main__"}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in ROOT.rglob("*.py") if "arduino" not in path.parts[:-1]}


def imports(path: Path) -> set[str]:
    """Modules of hil that a file imports, wherever it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found & MODULES.keys() - {"hil"}


GRAPH = {name: imports(path) for name, path in MODULES.items()}


def test_there_is_no_circle() -> None:
    assert list(TopologicalSorter(GRAPH).static_order())


def test_nothing_imports_the_faces() -> None:
    used_by_others = set().union(*(used for name, used in GRAPH.items() if name not in FACES))
    assert not used_by_others & FACES


def test_only_commands_know_of_virtual_boards() -> None:
    knowing = {name for name, used in GRAPH.items() if any("hil.virtual" in u for u in used)}
    assert {name for name in knowing if not name.startswith("hil.virtual")} == {
        "hil.cli",
        "hil.debug",
    }


def test_the_virtual_bench_knows_only_where_things_are() -> None:
    used = set().union(*(GRAPH[name] for name in GRAPH if name.startswith("hil.virtual")))
    assert {name for name in used if not name.startswith("hil.virtual")} == {"hil.paths"}


def test_facts_know_nothing_of_ports_and_boards() -> None:
    machinery = {"hil.link", "hil.session", "hil.device", "hil.flash", "hil.trial", "hil.build"}
    for fact in ("hil.wire", "hil.model", "hil.compare", "hil.messages", "hil.tensors"):
        reached = {fact}
        while more := set().union(*(GRAPH[name] for name in reached)) - reached:
            reached |= more
        assert not reached & (machinery | {"hil.inventory"}), fact


def test_test_files_have_names_of_their_own() -> None:
    """pytest collects the suites in one run, as modules without packages."""
    names = [path.name for path in SUITES.rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
