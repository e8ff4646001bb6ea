"""What was measured, as files and as a short table."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kgen.evaluation.measuring import Evaluation
from kgen.evaluation.page import as_page
from kgen.evaluation.sheets import Sheet, write_sheets
from kgen.evaluation.summary import hundred
from kgen.evaluation.wording import Section, Table, headline, sections_of
from kgen.files import write_json, write_text

REPORT, MARKDOWN, PAGE, PICTURES = "report.json", "report.md", "page.html", "pictures"
DISTANCES = (
    ("distance", "Fréchet distance, what is shown"),
    ("fine_structure", "Fréchet distance, how it is drawn"),
)


def write_report(evaluation: Evaluation, folder: str | os.PathLike) -> list[Path]:
    """Writes report.json, report.md, page.html and, in pictures/, a PNG of each sheet.

    Returns:
        The files, but for the sheets.

    Raises:
        OSError: `folder` cannot be written to.
    """
    folder, report = Path(folder), evaluation.report
    about = report["about"]
    write_sheets(evaluation.sheets, folder / PICTURES, Model=about["model"], Hash=about["hash"])
    write_json(folder / REPORT, report)
    write_text(folder / MARKDOWN, as_markdown(report, evaluation.sheets))
    write_text(folder / PAGE, as_page(evaluation))
    return [folder / name for name in (REPORT, MARKDOWN, PAGE)]


def as_markdown(report: dict[str, Any], sheets: Sequence[Sheet], folder: str = PICTURES) -> str:
    """The report as Markdown.

    Args:
        report: Of an `Evaluation`.
        sheets: Those to show.
        folder: Where their PNGs lie, seen from the Markdown's place; empty: beside it.
    """
    parts = [f"# {_plain(headline(report))}"]
    for section in sections_of(report):
        parts += markdown_section(section, sheets, folder)
    return "\n\n".join(parts) + "\n"


def markdown_section(section: Section, sheets: Sequence[Sheet], folder: str) -> list[str]:
    """Paragraphs of a section."""
    shown = [sheet for sheet in sheets if sheet.name in section.sheets]
    if not (section.lines or section.tables or shown):
        return []
    parts = [f"## {section.title}"]
    parts += ["\n".join(f"- {_plain(line)}" for line in section.lines)] * bool(section.lines)
    for table in section.tables:
        parts += [f"### {_plain(table.title)}"] * bool(table.title)
        parts.append(_table(table))
    for sheet in shown:
        path = f"{folder}/{sheet.name}.png" if folder else f"{sheet.name}.png"
        parts += [f"**{sheet.title}.** {sheet.text}", f"![{sheet.title}]({path})"]
    return parts


def short_table(report: dict[str, Any]) -> str:
    """The report in lines for a terminal, shares in percent."""
    lines = [headline(report)]
    if "left_out" not in report["caption_match"]:
        for column in report["caption_match"]["columns"]:
            found = column["r_precision"]
            title = f"own caption of {column['candidates']} ({column['name']})"
            lines.append(_pair(title, found["generated"], found["real"]))
    if "left_out" not in report["attributes"]:
        for name, found in report["attributes"].items():
            for column in found["columns"]:
                title = f"{name} ({column['name']})"
                lines.append(_pair(title, column["generated"], found["real"]))
    for name, title in DISTANCES:
        if "left_out" not in report[name]:
            found = report[name]["frechet"]
            real = f"{found['real']['value']:>9.4g}" if found["real"] else ""
            lines.append(f"{title:<36} {found['generated']['value']:>9.4g} {real}".rstrip())
    lines.insert(1, f"{'':<36} {'generated':>9} {'real':>9}")
    return "\n".join([*lines, "", *report["summary"]])


def _pair(title, generated, real):
    values = [hundred(f["value"]) if f else "–" for f in (generated, real)]
    return f"{title:<36} {values[0]:>9} {values[1]:>9}"


def _table(table: Table) -> str:
    head = table.head if any(table.head) else (" ",) * len(table.head)
    lines = (head, ("---",) * len(head), *table.rows)
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    """One line that Markdown shows as it is."""
    return " ".join(text.split()).replace("<", "&lt;")
