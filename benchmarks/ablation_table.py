"""The figures of the ablations, as Markdown."""


def as_markdown(runs: list[dict], rows: dict[str, dict]) -> str:
    """A table for each set and each time, the rows in their order, all seeds in every cell.

    Args:
        runs: Figures of runs, as `ablations.train_and_judge` writes them.
        rows: For each set the rows' names, with what they say first.
    """
    parts = []
    for name, of_set in rows.items():
        for minutes in sorted({run["minutes"] for run in runs if run["set"] == name}):
            some = [r for r in runs if (r["set"], r["minutes"]) == (name, minutes)]
            parts += [f"## {name}, {minutes:g} minutes", "", *_table(some, of_set), ""]
    return "\n".join(parts)


def _table(runs, rows):
    attributes = list(runs[0]["obedience"])
    copies = "memorisation" in runs[0]
    head = ["row", "steps", "distance", "detail", "R-precision", *attributes]
    head += ["memorisation"] if copies else []
    real = runs[0]["real"]
    cells = [f"{100 * real['match']:.1f}", *(f"{100 * real[a]:.1f}" for a in attributes)]
    cells += ["1"] if copies else []
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines.append(f"| real pictures | | 0 | 0 | {' | '.join(cells)} |")
    for row, (says, _) in rows.items():
        same = [run for run in runs if run["row"] == row]
        if same:
            lines.append(_line(f"{says} (`{row}`)", same, attributes, copies))
    return lines


def _line(says, runs, attributes, copies):
    def both(take, form):
        return " / ".join(form.format(take(run)) for run in runs)

    cells = [
        both(lambda run: run["steps"], "{}"),
        both(lambda run: run["distance"], "{:.2f}"),
        both(lambda run: run["detail"], "{:.2f}"),
        both(lambda run: 100 * run["match"], "{:.1f}"),
        *(both(lambda run, a=a: 100 * run["obedience"][a], "{:.1f}") for a in attributes),
    ]
    cells += [both(lambda run: run["memorisation"], "{:.2f}")] if copies else []
    return f"| {says} | {' | '.join(cells)} |"
