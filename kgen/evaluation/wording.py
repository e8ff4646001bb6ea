"""The report in sections of text and tables, for Markdown and HTML alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kgen.evaluation.distance_figures import DISTANCES, NEIGHBOURHOODS
from kgen.evaluation.intervals import share_interval
from kgen.evaluation.summary import hundred

MOST_CLASSES = 12
SMALLER, LARGER = "smaller is better", "larger is better"
MEANINGS = {
    "frechet": ("Fréchet distance", SMALLER),
    "kernel": ("kernel distance", SMALLER),
    "precision": ("precision", "share that looks real"),
    "recall": ("recall", "share of what is real that can be drawn"),
    "density": ("density", "1: as close as real pictures are to each other"),
    "coverage": ("coverage", "share of real pictures that one comes near to"),
}


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        head: Names of its columns.
        rows: Of as many cells.
        shares: For each row a share in [0, 1], for a bar; or none.
        title: What it is of.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...] = ()
    title: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        title: What it is of.
        lines: Sentences.
        tables: What follows them.
        sheets: Names of the sheets of pictures that belong here.
    """

    title: str
    lines: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    sheets: tuple[str, ...] = ()


def sections_of(report: dict[str, Any]) -> list[Section]:
    """All sections of a report, in their order."""
    made = (
        ("distance", "How near to real pictures, in what they show", _distance, ()),
        ("fine_structure", "How near to real pictures, in how they are drawn", _distance, ()),
        ("caption_match", "Captions", _captions, ("best", "worst")),
        ("attributes", "Attributes", _attributes, ("classes",)),
        ("words", "Words", _words, ()),
        ("memorisation", "New, or copied", _memorisation, ("closest",)),
        ("diversity", "More than one picture a caption", _diversity, ("noises",)),
        ("refinement", "The best of several", _refinement, ()),
    )
    sections = [
        Section("In short", tuple(report["summary"])),
        Section("Samples", sheets=("samples",)),
    ]
    for name, title, worded, sheets in made:
        part = report[name]
        if "left_out" in part:
            lines = (f"Not measured: {part['left_out'].rstrip('.')}.",)
            sections.append(Section(title, lines, (), sheets))
        else:
            lines, tables = worded(part)
            sections.append(Section(title, tuple(lines), tuple(tables), sheets))
    sections.append(Section("What the figures do not say", tuple(report["limits"])))
    sections.append(Section("How it was measured", (), (_about(report["about"]),)))
    return sections


def headline(report: dict[str, Any]) -> str:
    """What was measured, in a line."""
    about = report["about"]
    kind = "held-out" if about["split"] == "test" else "TRAINING"
    return (
        f"{about['model']} ({about['hash']}): {about['num']} {kind} pictures of {about['data']}, "
        f"captions in {', '.join(about['columns'])}"
    )


def share(figure: dict[str, Any] | None) -> str:
    """A share and its interval, in percent.

    Example:
        >>> share({"value": 0.9, "low": 0.786, "high": 0.957, "num": 50})
        '90 % (78.6–95.7)'
    """
    return _with_interval(figure, hundred, " %")


def number(figure: dict[str, Any] | None) -> str:
    """A number and its interval.

    Example:
        >>> number({"value": 12.3456, "low": 11.0, "high": 13.5, "num": 50})
        '12.35 (11–13.5)'
    """
    return _with_interval(figure, "{:.4g}".format)


def _with_interval(figure, form, unit=""):
    if figure is None or figure["value"] is None:
        return "–"
    interval = ""
    if figure.get("low") is not None:
        interval = f" ({form(figure['low'])}–{form(figure['high'])})"
    return f"{form(figure['value'])}{unit}{interval}"


def _distance(part):
    names = [name for name in (*DISTANCES, *NEIGHBOURHOODS) if name in part]
    rows = []
    for name in names:
        found = part[name]
        as_text = share if name in ("precision", "recall", "coverage") else number
        title, meaning = MEANINGS[name]
        rows.append((title, meaning, as_text(found["generated"]), as_text(found["real"])))
    lines = [
        f"{part['num']} generated pictures against {part['num']} real training pictures, in the "
        f"features of {part['features']} ({part['note']}). Beside it the same of as many real "
        "test pictures: what unseen real pictures reach. Where the test part is of other "
        "compositions by design, these lie apart, too.",
    ]
    if part["left_out_figures"]:
        lines.append(f"Not measured: {part['left_out_figures']}.")
    return lines, [Table(("figure", "meaning", "generated", "real pictures reach"), _rows(rows))]


def _captions(part):
    rows = []
    for column in part["columns"]:
        for name, title in (
            ("r_precision", f"own caption found among {column['candidates']} (R-precision)"),
            ("caption_swap", "told from its likest caption, both ways (caption swap)"),
        ):
            found = column[name]
            if found["generated"]:
                num = str(found["generated"]["num"])
                pair = (share(found["generated"]), share(found["real"]))
                rows.append((column["name"], title, *pair, num))
    candidates = max(column["candidates"] for column in part["columns"])
    lines = [
        "Asked of the judge. A model that ignores its captions would reach about "
        f"{hundred(1 / candidates)} % among {candidates}, and at most 25 % at swaps. Where the set "
        "tells which facts a caption states, it stands only against captions that contradict it.",
    ]
    head = ("captions", "question", "generated", "real pictures", "asked")
    return lines, [Table(head, _rows(rows))]


def _attributes(part):
    rows, tables = [], []
    for name, found in part.items():
        for column in found["columns"]:
            ratio = column["ratio"]
            rows.append(
                (
                    name,
                    column["name"],
                    share(column["generated"]),
                    share(found["real"]),
                    share(ratio),
                    str(column["generated"]["num"] if column["generated"] else 0),
                )
            )
        rows += _commonest(name, found)
    head = ("attribute", "captions", "generated", "real pictures", "ratio", "asked")
    tables.append(Table(head, _rows(rows)))
    for name, found in part.items():
        classes = _classes(found["classes"])
        if classes:
            which = "" if len(found["classes"]) <= MOST_CLASSES else ", the hardest"
            columns = [column["name"] for column in found["columns"]]
            told = columns if len(columns) > 1 else ["generated"]
            head = ("class", *told, "real pictures")
            tables.append(Table(head, classes, title=f"{name}: its classes{which}"))
        wrong = _rows((w["asked"], w["seen"], str(w["num"])) for w in found["confusions"][:5])
        if wrong:
            title = f"{name}: commonest confusions"
            tables.append(Table(("asked for", "seen", "times"), wrong, title=title))
    lines = [
        "A classifier trained on real pictures names what it sees. The ratio is of its right "
        "answers on generated pictures to those on the real pictures of the same captions."
    ]
    return lines, tables


def _commonest(name, found):
    """Rows of the commonest classes alone, where there are many: the rest are of few pictures."""
    classes = sorted(found["classes"].values(), key=lambda one: -one["num"])
    if len(classes) <= MOST_CLASSES:
        return
    some = classes[:MOST_CLASSES]
    num_real = sum(one["num"] for one in some)
    real = sum(one["num_right"]["real"] for one in some) / num_real
    for k, column in enumerate(found["columns"]):
        num = sum(one["num_drawn"][k] for one in some)
        if num and real:
            right = sum(one["num_right"]["generated"][k] for one in some) / num
            says = (hundred(right), hundred(real), hundred(right / real))
            of = f"{name}, its {MOST_CLASSES} commonest"
            yield (of, column["name"], *(f"{figure} %" for figure in says), str(num))


def _classes(classes: dict[str, Any]):
    """Rows of the classes of an attribute, the hardest of many, each column of captions apart.

    By the upper bound of their share: 0 of 9 come before 0 of 1, of which little is known.
    """
    rows = []
    for name, one in classes.items():
        right, num = one["num_right"]["generated"], one["num_drawn"]
        if sum(num):
            cells = [f"{r} of {n}" for r, n in zip(right, num, strict=True)]
            cells.append(f"{one['num_right']['real']} of {one['num']}")
            rows.append((share_interval(sum(right), sum(num))[1], name, *cells))
    return _rows(row[1:] for row in sorted(rows)[:MOST_CLASSES])


def _words(part):
    lines, tables = [], []
    for column in part["columns"]:
        worst = column["words"][0]
        line = (
            f"`{worst['word']}` is honoured in {hundred(worst['generated']['value'])} of 100"
            f"{_in_real(worst)}: the weakest of {len(column['words'])} words ({column['name']})."
        )
        lines.append(line)
        rows = _rows(
            (
                one["word"],
                ", ".join(one["others"]),
                share(one["generated"]),
                share(one["real"]),
                str(one["generated"]["num"]),
            )
            for one in column["words"]
        )
        shares = tuple(one["generated"]["value"] for one in column["words"])
        head = ("word", "exchanged for", "honoured", "real pictures", "asked")
        tables.append(Table(head, rows, shares, title=column["name"]))
    lines.append(
        "A caption is drawn twice from one noise, once with another word in a word's place; each "
        "picture must match its own caption better. 50 % is chance."
    )
    return lines, tables


def _in_real(one):
    return f" (real pictures: {hundred(one['real']['value'])})" if one["real"] else ""


def _memorisation(part):
    rows = []
    for name, title in (("pixels", "as they look"), ("features", "in the judge's features")):
        found = part[name]
        rows.append(
            (
                title,
                number(found["ratio"]),
                share(found["share_near"]),
                f"{found['median']:.4g}",
                f"{found['median_of_test']:.4g}",
                f"{found['ratio']['num']}, {found['num_test']}",
            )
        )
    verdict = "MEMORISED" if part["is_memorised"] else "Not memorised"
    limit = f"a ratio below {part['least_ratio']}"
    if part["most_near"] is not None:
        limit += f", or over {hundred(part['most_near'])} % as near as the nearest 1 % of test"
    lines = [
        f"{verdict}, by how the pictures look ({limit} counts as memorised).",
        "The ratio is of the median distance of generated pictures to their nearest of "
        f"{part['num_training']} training pictures, to that of real test pictures.",
    ]
    head = (
        "compared",
        "ratio",
        "as near as 1 % of test",
        "generated lie away",
        "test pictures lie away",
        "generated, test",
    )
    return lines, [Table(head, _rows(rows))]


def _diversity(part):
    rows = [
        (title, share(part[name]), str(part[name]["num"]))
        for name, title in (("features", "in the judge's features"), ("pixels", "in pixels"))
    ]
    lines = [
        f"How far {part['num_noises']} pictures of one caption are apart, of the distance of two "
        "real pictures of different captions. 0 %: noise changes nothing."
    ]
    return lines, [Table(("compared", "apart", "captions"), _rows(rows))]


def _refinement(part):
    rows = [
        (str(one["count"]), share(one["r_precision"]), number(one["frechet"]))
        for one in part["counts"]
    ]
    lines = [
        f"Of several pictures of each caption ({part['column']}) the model's own matcher, which is "
        "not the judge, keeps the best."
    ]
    return lines, [Table(("drawn", "R-precision", "Fréchet distance"), _rows(rows))]


def _about(about):
    minutes = "–" if about["seconds"] is None else f"{about['seconds']:.0f} s"
    rows = (
        ("model", f"{about['model']}, hash {about['hash']}"),
        ("pictures", f"{about['data']}, {about['image_size']} x {about['image_size']} pixels"),
        ("part", f"{about['split']}: {about['num']} pictures; {about['num_training']} to train"),
        ("caption columns", ", ".join(about["columns"])),
        ("features", f"{about['features']['name']}: {about['features']['note']}"),
        ("judge", about["judge"]["fingerprint"]),
        ("seed", str(about["seed"])),
        ("arithmetic", about.get("precision", "float32")),
        ("took", f"{minutes} on {about['machine']}"),
        ("kgen", about["kgen"]),
    )
    return Table(("", ""), rows)


def _rows(rows: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(row) for row in rows)
