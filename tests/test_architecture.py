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
    assert not {n.split(".")[0] for n in imported(ROOT / "evaluation/metrics.py")} & set(FLOORS)


PICKLING = {"pickle", "cPickle", "_pickle", "cloudpickle", "shelve", "marshal", "joblib", "dill"}


def test_nothing_is_read_with_pickle() -> None:
    paths = [p for room in ("index", "qa", "page") for p in (ROOT / room).rglob("*.py")]
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
