"""Plot results and write the plots beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.record import RESULTS


def save_bars(name: str, title: str, panels: Mapping[str, Mapping[str, float | None]]) -> Path:
    """Write results/NAME.png: a bar chart for each quantity, with one bar for each system."""
    plt = _pyplot()
    figure, axes = plt.subplots(
        1, len(panels), figsize=(4 * len(panels), 3.6), sharey=True, squeeze=False
    )
    for axis, (quantity, values) in zip(axes[0], panels.items(), strict=True):
        names = list(values)[::-1]
        lengths = [values[n] for n in names]
        bars = axis.barh(names, [length or 0.0 for length in lengths], color="#8fa3bf")
        bars[-1].set_color("#c2410c")
        labels = ["–" if length is None else f"{length:.3g}" for length in lengths]
        axis.bar_label(bars, labels, padding=2, fontsize=8)
        axis.margins(x=0.18)
        axis.set_title(quantity, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=10)
    return _save(figure, name)


def save_lines(
    name: str, sizes: Sequence[float], panels: Mapping[str, Mapping[str, Sequence[float | None]]]
) -> Path:
    """Write results/NAME.png: a line chart for each quantity over the sizes, on log axes."""
    plt = _pyplot()
    figure, axes = plt.subplots(1, len(panels), figsize=(4 * len(panels), 3.6), squeeze=False)
    for axis, (quantity, lines) in zip(axes[0], panels.items(), strict=True):
        for label, values in lines.items():
            points = [(x, y) for x, y in zip(sizes, values, strict=True) if y is not None]
            if points:
                axis.plot(*zip(*points, strict=True), marker="o", markersize=3, label=label)
        axis.set_xscale("log")
        if "recall" not in quantity:
            axis.set_yscale("log")
        axis.set_title(quantity, fontsize=10)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    return _save(figure, name)


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _save(figure: Any, name: str) -> Path:
    path = RESULTS / f"{name}.png"
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    return path
