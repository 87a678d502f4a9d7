"""Data flows one way: nothing lower imports anything higher."""

import ast
from pathlib import Path

from tests.conftest import ROOT

# A room may import from its own floor and those below it. Commands (__main__.py) may use all of them.
FLOORS = {
    "index": 0,
    "qa": 1,
    "page": 2,
    "evaluation": 2,
    "app": 3,
    "benchmarks": 3,
    "training": 3,
    "ask_the_article": 4,
}
# The same within index/: what is not named stands on the ground floor.
INDEX_FLOORS = {
    "index.documents": 1,
    "index.passages": 2,
    "index.models": 3,
    "index.search": 4,
    "index.stores": 5,
    "index.terminal": 6,
}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names.add(node.module or "")
    return names


def modules(*rooms: str) -> list[Path]:
    """The modules of some rooms, without their commands."""
    found = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    return [path for path in found if path.name != "__main__.py"]


def floor_of(name: str, floors: dict[str, int], lowest: int) -> int:
    """The floor of a module by the longest part of its name that has one."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if (floor := floors.get(".".join(parts[:end]))) is not None:
            return floor
    return lowest


def test_no_import_runs_upward() -> None:
    paths = [*modules(*FLOORS), ROOT / "app.py"]
    assert len(paths) > 90
    for path in paths:
        room = path.relative_to(ROOT).parts[0].removesuffix(".py")
        for name in imported(path):
            floor = FLOORS.get(name.split(".")[0], -1)
            assert floor <= FLOORS[room], f"{path} imports {name}"
            assert name.split(".")[0] != "tests", f"{path} imports {name}"


def test_no_import_runs_upward_within_index() -> None:
    paths = modules("index")
    assert len(paths) > 30
    for path in paths:
        own = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for name in imported(path):
            if name.split(".")[0] == "index":
                floor = floor_of(name, INDEX_FLOORS, 0)
                assert floor <= floor_of(own, INDEX_FLOORS, 0), f"{own} imports {name}"


def test_no_module_imports_itself_through_others() -> None:
    graph = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): imported(path)
        for path in modules("ask_the_article", "index", "qa", "page", "evaluation")
    }
    graph = {name: {other for other in uses if other in graph} for name, uses in graph.items()}
    assert len(graph) > 70
    while leaves := [name for name, uses in graph.items() if not uses & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert graph == {}


PICKLING = {"pickle", "cPickle", "_pickle", "cloudpickle", "shelve", "marshal", "joblib", "dill"}


def test_nothing_is_read_with_pickle() -> None:
    paths = [
        p
        for room in ("ask_the_article", "index", "qa", "page")
        for p in (ROOT / room).rglob("*.py")
    ]
    for path in [*paths, ROOT / "app.py"]:
        assert not {name.split(".")[0] for name in imported(path)} & PICKLING, path
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                assert unpickling(call) is None, f"{path}:{call.lineno} {unpickling(call)}"


def unpickling(call: ast.Call) -> str | None:
    """What is wrong with a call that may read a pickle."""
    name = ast.unparse(call.func)
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if name.endswith("torch.load") or name in ("read_pickle", "eval", "exec"):
        return name
    if name in ("np.load", "numpy.load") and given.get("allow_pickle") != "False":
        return "np.load without allow_pickle=False"
    if "True" in (given.get("allow_pickle"), given.get("trust_remote_code")):
        return f"{name} with a pickle or a program allowed"
    if name.startswith("AutoModel") and given.get("use_safetensors") != "True":
        return f"{name} without use_safetensors=True"
    if name == "SentenceTransformer" and "'use_safetensors': True" not in given["model_kwargs"]:
        return f"{name} without use_safetensors"
    return None


def test_a_call_that_reads_a_pickle_is_seen() -> None:
    def of(text: str) -> str | None:
        return unpickling(ast.parse(text).body[0].value)

    assert of("torch.load(path)") and of("np.load(path)") and of("np.load(p, allow_pickle=True)")
    assert of("AutoModel.from_pretrained(name)") and of("eval(text)")
    assert of("np.load(path, allow_pickle=False)") is None
