"""The benchmark's figures as Markdown, and two of them beside each other."""

from typing import Any

from benchmarks import article_table


def as_markdown(figures: dict[str, Any]) -> str:
    """All that `python -m benchmarks` measured."""
    lines = ["# Benchmarks", "", figures["machine"], ""]
    lines += ["`python -m benchmarks --table benchmarks/README.md` writes this page."]
    lines += [
        "",
        "## The machine's own peak",
        "",
        "| GFLOP/s | float32 | bfloat16 |",
        "|---|---|---|",
    ]
    for kind in ("matmul", "convolution"):
        peaks = figures["peaks"][kind]
        lines.append(f"| {kind} | {peaks['float32']:.0f} | {peaks['bfloat16']:.0f} |")
    for each in figures["generation"]:
        lines += _generation(each)
    lines += ["", "## Memory", "", "| drawing 64 at once | peak MB |", "|---|---|"]
    lines += [f"| {row['name']} | {row['peak_mb']:.0f} |" for row in figures["memory"]]
    lines += [
        "", "## Training", "",
        "| | pictures/s | times float32 | share of peak | times as many pictures from the data |",
        "|---|---|---|---|---|",
    ]  # fmt: skip
    for row in figures["training"]:
        lines.append(
            f"| {row['name']} | {row['pictures_per_second']:.0f} | {row['ratio']:.2f} | "
            f"{row['share_of_peak']:.0%} | {row['pipeline_ratio']:.0f} |"
        )
    lines += ["", "## Starting", "", "| | s | times Python's own start |", "|---|---|---|"]
    for row in figures["starting"]:
        lines.append(f"| {row['name']} | {row['seconds']:.2f} | {row['ratio']:.1f} |")
    if "article" in figures:
        lines += ["", "## The article's model", "", article_table.as_markdown(figures["article"])]
    return "\n".join(lines) + "\n"


def _generation(each) -> list[str]:
    rows = each["rows"]
    threads = rows[0]["threads"]
    lines = [
        "", f"## Drawing, {threads} thread{'s' * (threads > 1)}", "",
        f"{each['flop'] / 1e6:.0f} MFLOP a picture; convolution peak "
        f"{each['peak_gflops']:.0f} GFLOP/s in the same run.", "",
        "| | batch | ms (middle half; 95 %) | pictures/s | times Keras' predict | share of peak |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in rows:
        spread = f"{row['low_ms']:.2f} – {row['high_ms']:.2f}; {row['p95_ms']:.2f}"
        lines.append(
            f"| {row['name']} | {row['batch']} | {row['median_ms']:.2f} ({spread}) | "
            f"{row['pictures_per_second']:.0f} | {row['ratio']:.1f} | {row['share_of_peak']:.0%} |"
        )
    return lines


def compared(old: dict[str, Any], new: dict[str, Any]) -> str:
    """How each share of the peak and each ratio changed: the machine's speed is in neither."""
    lines = [f"old: {old['machine']}", f"new: {new['machine']}", "", "| | old | new | times |"]
    lines.append("|---|---|---|---|")
    before = dict(_shares(old))
    for name, now in _shares(new):
        if name in before:
            was = before[name]
            lines.append(f"| {name} | {was:.3g} | {now:.3g} | {now / was:.2f} |")
    return "\n".join(lines)


def _shares(figures):
    for each in figures["generation"]:
        for row in each["rows"]:
            place = f"{row['name']}, batch {row['batch']}, {row['threads']} threads"
            yield f"{place}: share of peak", row["share_of_peak"]
    for row in figures["training"]:
        yield f"training, {row['name']}: share of peak", row["share_of_peak"]
    for row in figures["starting"]:
        yield f"{row['name']}: times Python's own start", row["ratio"]
