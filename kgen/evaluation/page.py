"""The report as one HTML file, with all its pictures, that needs nothing beside it."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from PIL import Image

from kgen.evaluation.measuring import Evaluation
from kgen.evaluation.sheets import Sheet, Strip
from kgen.evaluation.summary import hundred, weakest_attributes
from kgen.evaluation.wording import Section, Table, headline, sections_of
from kgen.html_page import html_page, picture_uri, prose, tiles

PNG_BYTES = 12_000  # a picture that takes more as PNG becomes a JPEG
QUALITY = 92
SHOWN = 128  # pixels of a picture on the page
LARGEST_OF_CELLS = 64  # pixels; of smaller pictures each pixel is shown as a square


def as_page(evaluation: Evaluation) -> str:
    """The HTML of the report."""
    report = evaluation.report
    name = report["about"]["model"]
    header = f"<h1>{escape(name)}: evaluation</h1><p>{escape(headline(report))}</p>{_tiles(report)}"
    sections = [(s.title, _section(s, evaluation.sheets)) for s in sections_of(report)]
    return html_page(f"{name}: evaluation", header, sections)


def _tiles(report: dict[str, Any]) -> str:
    pairs = []
    if "left_out" not in report["caption_match"]:
        for column in report["caption_match"]["columns"]:
            found, real = (column["r_precision"][kind]["value"] for kind in ("generated", "real"))
            small = f"find their caption of {column['candidates']} ({column['name']}); real: "
            pairs.append((f"{hundred(found)} %", f"{small}{hundred(real)} %"))
    if "left_out" not in report["attributes"]:
        for ratio, name in weakest_attributes(report["attributes"])[:1]:
            small = f"of what real pictures reach, for the weakest attribute: {name}"
            pairs.append((f"{hundred(ratio)} %", small))
    if "left_out" not in report["distance"]:
        for name, subject in (("distance", "what is shown"), ("fine_structure", "how it is drawn")):
            found = report[name]["frechet"]
            real = f"; unseen real ones: {found['real']['value']:.3g}" if found["real"] else ""
            small = f"Fréchet distance to real pictures, in {subject}{real}"
            pairs.append((f"{found['generated']['value']:.3g}", small))
    if "left_out" not in report["memorisation"]:
        part = report["memorisation"]
        verdict = "memorised" if part["is_memorised"] else "not memorised"
        small = f"{part['pixels']['ratio']['value']:.2f} times as far from training as real ones"
        pairs.append((verdict, small))
    return tiles(pairs)


def _section(section: Section, sheets: Sequence[Sheet]) -> str:
    lines = "".join(f"<li>{prose(line)}</li>" for line in section.lines)
    parts = [f"<ul>{lines}</ul>"] if lines else []
    parts += [_table(table) for table in section.tables if not table.title or table.shares]
    small = "".join(_table(t) for t in section.tables if t.title and not t.shares)
    parts += [f'<div class="columns">{small}</div>'] * bool(small)
    parts += [_sheet(sheet) for sheet in sheets if sheet.name in section.sheets]
    return "".join(parts)


def _table(table: Table) -> str:
    bars = bool(table.shares)
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = []
    for i, row in enumerate(table.rows):
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in row)
        if bars:
            width = 100 * min(max(table.shares[i], 0), 1)
            cells += f'<td class="bar"><i style="width:{width:.1f}%"></i></td>'
        rows.append(f"<tr>{cells}</tr>")
    head = f"<tr>{head}{'<th></th>' * bars}</tr>" if any(table.head) else ""
    title = f"<h3>{escape(table.title)}</h3>" if table.title else ""
    return (
        f'<div class="part">{title}<div class="scrolled">'
        f'<table class="figures">{head}{"".join(rows)}</table></div></div>'
    )


def _sheet(sheet: Sheet) -> str:
    small = sheet.strips[0].pixels.shape[2] <= LARGEST_OF_CELLS
    strips = "".join(map(_strip, sheet.strips))
    return (
        f'<h3>{escape(sheet.title)}</h3><p class="note">{escape(sheet.text)}</p>'
        f'<div class="strips{" pixelated" * small}">{strips}</div>'
    )


def _strip(strip: Strip) -> str:
    label = next(filter(None, strip.captions), "")
    cells = "".join(
        f'<div><img src="{_uri(pixels)}" width="{SHOWN}" height="{SHOWN}" '
        f'alt="{escape(f"{name}: {label}" if name else label)}"><small>{escape(name)}</small></div>'
        for pixels, name in zip(strip.pixels, strip.labels)
    )
    captions = "".join(f"<p>{escape(caption)}</p>" for caption in strip.captions)
    note = f"<small>{escape(strip.note)}</small>" if strip.note else ""
    return (
        f'<figure><div class="strip">{cells}</div>'
        f"<figcaption>{captions}{note}</figcaption></figure>"
    )


def _uri(pixels: np.ndarray) -> str:
    return picture_uri(Image.fromarray(pixels), PNG_BYTES, QUALITY)
