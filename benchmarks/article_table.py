"""The article's model beside ours as Markdown: what each has learned, how fast each draws."""

from typing import Any

PREDICT, LITERT = "the article's model, Keras' predict", "the article's model, LiteRT"


def as_markdown(figures: dict[str, Any]) -> str:
    """What `python -m benchmarks.article` found."""
    judged, drawing = figures["quality"], figures["drawing"]
    (first, *_) = judged.values()
    size = figures["size"]
    lines = [
        f"{figures['machine']}; {figures['minutes']:g} minutes of training each, {size} x {size}",
        "",
        _row("", *judged, "real pictures"),
        _row(*["---"] * (len(judged) + 2)),
        _row("Fréchet distance", *(f"{of['distance']:.1f}" for of in judged.values()), "0"),
        _row("R-precision of 100", *(_percent(of["match"]) for of in judged.values()),
             _percent(first["real"]["match"])),
    ]  # fmt: skip
    for name in first["obedience"]:
        obeyed = (_percent(of["obedience"][name]) for of in judged.values())
        lines.append(_row(f"{name} obeyed", *obeyed, _percent(first["real"][name])))
    lines += ["", _row("a picture, caption included", "kB", "ms", f"times {PREDICT}", "its LiteRT")]
    lines.append(_row(*["---"] * 5))
    for name, of in drawing.items():
        times = (f"{drawing[other]['ms'] / of['ms']:.1f}" for other in (PREDICT, LITERT))
        size = "" if of["kb"] is None else f"{of['kb']:.0f}"
        lines.append(_row(name, size, f"{of['ms']:.2f}", *times))
    sizes = [f"{size} x {size}" for size in figures["step_ms"]]
    lines += ["", _row("ms a training step of the article's model", *sizes)]
    lines.append(_row(*["---"] * (len(sizes) + 1)))
    lines.append(_row("8 pictures", *(f"{ms:.0f}" for ms in figures["step_ms"].values())))
    return "\n".join(lines)


def _row(*cells):
    return f"| {' | '.join(cells)} |"


def _percent(share):
    return f"{100 * share:.1f} %"
