"""The report as plain text, for a terminal."""

from kgen.data.doctor.report import Report
from kgen.data.doctor.wording import BAD, LOOK, counted, findings, measured, percent, splits

SIGNS = {BAD: "✗", LOOK: "!"}


def as_text(report: Report) -> str:
    """The report in some forty lines.

    Args:
        report: What `kgen.data.check.check_data` found.
    """
    parts = (
        [f"{report.path}: {splits(report) or 'nothing to train on'}", measured(report)],
        [f"{SIGNS.get(how, '✓')} {line}" for how, line in findings(report)],
        _complaints(report),
        _files(report),
        *(_column(column, report) for column in report.columns),
        _words(report),
        _groups("in train and in test", report.leaks),
        _groups("copies", report.copies),
        ["What to do", *(f"  {line}" for line in report.advice.lines)],
        [f"  {report.advice.command}" if report.advice.command else ""],
    )
    texts = ("\n".join(line for line in part if line) for part in parts)
    return "\n\n".join(text for text in texts if text)


def _complaints(report):
    for complaint in report.complaints:
        yield f"{complaint.count} x {complaint.kind}. {complaint.advice}"
        yield from (f"  {where}: {reason}" for where, reason in complaint.rows)
        if complaint.count > len(complaint.rows):
            yield f"  and {complaint.count - len(complaint.rows)} more"


def _files(report):
    files = report.files
    yield f"Pictures ({files.num_bytes / 1e6:.1f} MB)"
    yield "  format  " + _listed(files.formats)
    yield "  mode    " + _listed(files.modes)
    sizes = {f"{width} x {height}": times for width, height, times in files.sizes[:5]}
    yield "  size    " + _listed(sizes) + (", …" if len(files.sizes) > 5 else "")


def _column(column, report):
    yield f"Captions `{column.name}`: {column.captions}, {column.different} different"
    if column.without:
        yield f"  none     {counted(column.without, 'picture')}"
    yield "  letters  " + _listed(column.languages)
    yield "  words    " + _spread(column.words)
    yield "  tokens   " + _spread(column.tokens)
    if column.too_long:
        yield f"  too long {percent(column.too_long, column.captions)}"
    for caption, times in column.repeated[:3]:
        yield f"  {times} times: {_short(caption)}"


def _words(report):
    words = report.words
    yield f"Words: {words.different} different, {words.chinese} of them Chinese characters"
    yield f"  seen once  {words.once}, such as " + ", ".join(words.rare[:8]) if words.once else ""
    yield "  frequent   " + ", ".join(word for word, _ in words.frequent[:16])
    for saying, what in ((report.sides, "left, right"), (report.colours, "colours")):
        if saying.count:
            share = percent(saying.count, saying.of)
            yield f"  {what}: {share} of captions, such as “{_short(saying.examples[0])}”"


def _groups(title, groups):
    if groups:
        yield title.capitalize()
    for group in groups[:4]:
        yield "  " + " = ".join(map(_place, group))
    if len(groups) > 4:
        yield "  …"


def _place(shown) -> str:
    """The name, after its split where the name does not tell it."""
    inside = shown.name.startswith(shown.split + "/")
    return shown.name if inside else f"{shown.name} ({shown.split})"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {times}" for name, times in counts.items())


def _spread(spread) -> str:
    return (
        f"{spread.least} to {spread.most}, half up to {spread.median}, "
        f"95 % up to {spread.most_of_95}"
    )


def _short(caption: str) -> str:
    return caption if len(caption) <= 80 else caption[:79] + "…"
