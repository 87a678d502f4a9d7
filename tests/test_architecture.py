"""Data flows one way: nothing lower imports anything higher."""

import ast
from pathlib import Path

from tests.conftest import ROOT

# A room may import from its own floor and those below it.
FLOORS = {"index": 0, "qa": 1, "page": 2, "app": 2, "benchmarks": 2, "training": 2}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names.add(node.module or "")
    return names


def test_no_import_runs_upward() -> None:
    paths = [p for room in FLOORS for p in (ROOT / room).rglob("*.py")] + [ROOT / "app.py"]
    assert len(paths) > 15
    for path in paths:
        room = path.relative_to(ROOT).parts[0].removesuffix(".py")
        for name in imported(path):
            floor = FLOORS.get(name.split(".")[0], -1)
            assert floor <= FLOORS[room], f"{path} imports {name}"
            assert name.split(".")[0] != "tests", f"{path} imports {name}"


def test_metrics_import_nothing_of_ours() -> None:
    assert not {n.split(".")[0] for n in imported(ROOT / "qa/metrics.py")} & set(FLOORS)


def test_nothing_is_read_with_pickle() -> None:
    for room in ("index", "qa"):
        for path in (ROOT / room).rglob("*.py"):
            assert not imported(path) & {"pickle", "shelve", "marshal", "joblib", "dill"}, path
