"""The report as one HTML file that needs nothing beside it."""

import os
from collections.abc import Iterable
from html import escape

from PIL import Image

from kgen.data.decoding import decode_picture
from kgen.data.doctor.report import Report, Shown
from kgen.data.doctor.wording import findings, measured, percent, splits
from kgen.data.opening import open_source
from kgen.data.sources import Source
from kgen.files import write_text
from kgen.html_page import html_page, picture_uri, prose, tiles

THUMBNAIL = 112  # pixels
PNG_BYTES = 6000  # a thumbnail that takes more as PNG becomes a JPEG
LONGEST = 240  # characters of a caption


def write_page(report: Report, path: str | os.PathLike) -> None:
    """Writes the report with thumbnails as an HTML page, whole or not at all; under 2 MB.

    Args:
        report: What `kgen.data.check.check_data` found.
        path: Where to.

    Raises:
        OSError: `path` cannot be written.
    """
    with open_source(report.path) as source:
        write_text(path, as_page(report, source))


def as_page(report: Report, source: Source) -> str:
    """The HTML of the report.

    Args:
        report: What `kgen.data.check.check_data` found.
        source: Where its pictures are.
    """
    name = os.path.basename(report.path.rstrip("/")) or report.path
    title = escape(name)
    sections = (
        ("What was found", _findings(report)),
        ("What to do", _advice(report)),
        ("What is left out", _complaints(report)),
        ("Pictures with their captions, as a model sees them", _cards(report.sample, source)),
        ("In train and in test", _groups(report.leaks, source)),
        ("Copies", _groups(report.copies, source)),
        ("Picture files", _files(report)),
        ("Captions", "".join(_column(column) for column in report.columns)),
        ("Words", _words(report)),
    )
    header = f"<h1>{title}</h1><p>{escape(measured(report))}</p>{_tiles(report)}"
    return html_page(f"{name}: captioned pictures", header, sections)


def _tiles(report) -> str:
    return tiles(
        (
            (splits(report) or "0", "pictures to train and test on"),
            (str(sum(report.left_out.values())), "rows left out"),
            (", ".join(report.captions) or "none", "caption columns"),
            (f"{report.files.short_side.median} px", "shorter side, in the middle"),
        )
    )


def _findings(report) -> str:
    lines = (f'<li class="{how}">{prose(line)}</li>' for how, line in findings(report))
    return f'<ul class="findings">{"".join(lines)}</ul>'


def _advice(report) -> str:
    lines = "".join(f"<li>{prose(line)}</li>" for line in report.advice.lines)
    command = f"<pre>{escape(report.advice.command)}</pre>" if report.advice.command else ""
    return f"{command}<ul>{lines}</ul>"


def _complaints(report) -> str:
    if not report.complaints:
        return ""
    rows = []
    for complaint in report.complaints:
        head = f"<b>{complaint.count} × {escape(complaint.kind)}.</b> {escape(complaint.advice)}"
        rows.append(f'<tr><td colspan="3" class="kind">{head}</td></tr>')
        rows += [_row(*where.rpartition(":")[::2], reason) for where, reason in complaint.rows]
        if rest := complaint.count - len(complaint.rows):
            rows.append(f'<tr><td colspan="3">and {rest} more</td></tr>')
    head = "<tr><th>file</th><th>line</th><th>reason</th></tr>"
    return f'<div class="wide"><table>{head}{"".join(rows)}</table></div>'


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _cards(shown: Iterable[Shown], source: Source) -> str:
    cards = "".join(_card(one, source) for one in shown)
    return f'<div class="cards">{cards}</div>' if cards else ""


def _card(one: Shown, source: Source) -> str:
    captions = "".join(f"<p>{escape(_cut(caption))}</p>" for caption in one.captions)
    name = escape(one.name)
    where = "" if name.startswith(one.split + "/") else f"{escape(one.split)}: "
    return (
        f'<figure><img src="{_data_uri(source, one.name)}" width="{THUMBNAIL}" '
        f'height="{THUMBNAIL}" alt="{name}"><figcaption>{captions}'
        f"<small>{where}{name}</small></figcaption></figure>"
    )


def _groups(groups: Iterable[Iterable[Shown]], source: Source) -> str:
    return "".join(f'<div class="group">{_cards(group, source)}</div>' for group in groups)


def _data_uri(source: Source, name: str) -> str:
    """A picture as the page holds it; an empty one if it went away meanwhile."""
    try:
        picture = Image.fromarray(decode_picture(source.read(name), THUMBNAIL))
    except (OSError, ValueError):
        return "data:,"
    return picture_uri(picture, PNG_BYTES)


def _files(report) -> str:
    files = report.files
    sizes = [(f"{width} × {height}", times) for width, height, times in files.sizes]
    return (
        f"<p>{files.num_bytes / 1e6:.1f} MB in all; the largest picture has "
        f"{files.megapixels_most:.2f} megapixels.</p>"
        f'<div class="columns">{_bars("Size in pixels", sizes)}'
        f"{_bars('Format', files.formats.items())}{_bars('Mode', files.modes.items())}</div>"
    )


def _column(column) -> str:
    words, tokens = column.words, column.tokens
    lengths = "".join(
        _row(name, *map(str, (s.least, s.median, s.most_of_95, s.most)))
        for name, s in (("words or characters", words), ("tokens", tokens))
    )
    without = f", {column.without} pictures without" if column.without else ""
    too_long = ""
    if column.too_long:
        too_long = f"<p>{percent(column.too_long, column.captions)} are longer than is read.</p>"
    return (
        f"<h3><code>{escape(column.name)}</code></h3>"
        f"<p>{column.captions} captions, {column.different} different{without}.</p>"
        "<table><tr><th></th><th>least</th><th>half, up to</th><th>95 %, up to</th>"
        f"<th>most</th></tr>{lengths}</table>{too_long}"
        f'<div class="columns">{_bars("Letters", column.languages.items())}'
        f"{_bars('Said of many pictures', column.repeated)}</div>"
    )


def _words(report) -> str:
    words = report.words
    half = (len(words.frequent) + 1) // 2
    return (
        f"<p>{words.different} different words, {words.chinese} of them Chinese characters; "
        f"{words.once} are seen once, such as {escape(', '.join(words.rare)) or 'none'}.</p>"
        f'<div class="columns">{_bars("Most frequent", words.frequent[:half])}'
        f"{_bars('and then', words.frequent[half:])}</div>"
        f"{_saying('Captions that tell left from right', report.sides)}"
        f"{_saying('Captions that name a colour', report.colours)}"
    )


def _saying(title: str, saying) -> str:
    if not saying.count:
        return f"<h3>{title}: none</h3>"
    examples = "".join(f"<li>{escape(_cut(caption))}</li>" for caption in saying.examples)
    return f"<h3>{title}: {saying.count} of {saying.of}</h3><ul>{examples}</ul>"


def _bars(title: str, counts: Iterable[tuple[str, int]]) -> str:
    """Names with their numbers and bars, the longest bar for the largest number."""
    counts = list(counts)
    if not counts:
        return ""
    largest = max(times for _, times in counts)
    rows = "".join(
        f'<tr><td>{escape(_cut(name))}</td><td class="bar">'
        f'<i style="width:{100 * times / largest:.1f}%"></i></td>'
        f'<td class="number">{times}</td></tr>'
        for name, times in counts
    )
    return f'<table class="bars"><caption>{title}</caption>{rows}</table>'


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
