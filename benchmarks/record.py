"""Write results with the machine, versions and commit they were measured with."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = ("torch", "transformers", "sentence-transformers", "faiss-cpu", "bm25s", "numpy")


def record(name: str, body: dict[str, Any]) -> Path:
    """Write a result to results/NAME.json, with the machine, the versions and the commit."""
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({**environment(), **body}, indent=2) + "\n", encoding="utf-8")
    return path


def environment() -> dict[str, Any]:
    """The machine, the versions and the commit."""
    import torch

    cpu = torch.cpu.get_capabilities().get("cpu_name") or platform.machine()
    git = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    return {
        "machine": f"{cpu}, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
        "python": platform.python_version(),
        "versions": {package: version(package) for package in PACKAGES},
        "commit": git.stdout.strip() or None,
    }
