"""The page that a preset comes with: what it is, whose data it has seen, how good it is."""

from collections.abc import Sequence
from typing import Any

from kgen.evaluation.report import markdown_section
from kgen.evaluation.sheets import Sheet
from kgen.evaluation.wording import headline, sections_of

NOT_IN_CARD = ("Samples",)


def as_card_page(
    card: dict[str, Any], report: dict[str, Any], sheets: Sequence[Sheet], samples: str
) -> str:
    """Markdown of a preset's card.

    Args:
        card: What stands in card.json.
        report: Of the evaluation, whole.
        sheets: Those whose PNGs lie beside the page.
        samples: Name of the PNG of samples beside the page.
    """
    trained = card["training"]
    rows = (
        ("data", card["data"]),
        ("licence", card["license"]),
        ("credit", card["credit"] or "none asked for"),
        (
            "training",
            f"{trained['minutes']} minutes on {trained['machine']}: {trained['steps']} steps, "
            f"{trained['pictures']} pictures, {trained['precision']}, seed {trained['seed']}"
            + _in_runs(trained["runs"], trained.get("mean_of", ())),
        ),
        ("parameters", f"{card['parameters']:,}"),
        ("captions", "of {fewest_tokens} to {most_tokens} tokens".format(**card["captions"])),
        ("hash", card["hash"]),
        ("kgen", card["kgen"]),
    )
    cells = "\n".join(f"| {name} | {_cell(str(value))} |" for name, value in rows)
    draws = f'kgen generate "…" --preset {card["name"]}    # or the path of this folder'
    parts = [
        f"# {card['name']}",
        f"![Pictures of held-out captions]({samples})",
        f"```sh\n{draws}\n```",
        f"|  |  |\n| --- | --- |\n{cells}",
        "## What the pictures show",
        card["limits"] or "Nobody has looked at them and written it down yet.",
        "## Evaluation",
        headline(report) + ".",
    ]
    for section in sections_of(report):
        if section.title not in NOT_IN_CARD:
            parts += markdown_section(section, sheets, "")
    return "\n\n".join(parts) + "\n"


def _in_runs(runs, mean_of=()):
    """What the training of several runs was made of, and of which the mean was taken; nothing for
    one.
    """
    if len(runs) == 1:
        return ""
    each = ", ".join(
        f"{run['name']} {'unknown' if run['minutes'] is None else run['minutes']} minutes"
        for run in runs
    )
    if len(mean_of) > 1:  # some of which may have gone different ways from one
        return f"; in {len(runs)} runs: {each}; mean of the weights of {', '.join(mean_of)}"
    return f"; in {len(runs)} runs, each from the one before: {each}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
