"""What the report says in words, the same on the command line and on the page."""

from kgen.data.doctor.report import Report

GOOD, LOOK, BAD = "good", "look", "bad"


def findings(report: Report) -> list[tuple[str, str]]:
    """The report in sentences.

    Args:
        report: What `kgen.data.check.check_data` found.

    Returns:
        (GOOD, LOOK or BAD; sentence), the worst first.
    """
    lines = [
        *((BAD, note) for note in report.notes),
        _left_out(report),
        _leaks(report),
        _copies(report),
        _blank(report),
        _sizes(report),
        _captions(report),
        _in_both(report),
        _others(report),
    ]
    order = (BAD, LOOK, GOOD)
    return sorted((line for line in lines if line), key=lambda line: order.index(line[0]))


def percent(part: int, of: int) -> str:
    """A share in two digits; next to nothing is not nothing.

    Example:
        >>> percent(1, 8), percent(1, 100_000), percent(0, 0)
        ('12 %', 'under 0.1 %', '0 %')
    """
    share = 100 * part / of if of else 0.0
    if 0 < share < 0.1:
        return "under 0.1 %"
    if share < 10:
        return f"{share:.1f} %".replace(".0", "")
    return f"{int(share)} %"


def counted(num: int, one: str, many: str = "") -> str:
    """A number with its noun.

    Example:
        >>> counted(1, "copy", "copies"), counted(2, "row")
        ('1 copy', '2 rows')
    """
    return f"{num} {one if num == 1 else many or one + 's'}"


def splits(report: Report) -> str:
    """Such as "7221 train, 351 test"."""
    return ", ".join(f"{num} {split}" for split, num in sorted(report.usable.items())[::-1])


def measured(report: Report) -> str:
    """What was opened, where that is not all."""
    if report.measured == report.pictures:
        return ""
    return f"Of {report.pictures} picture files, {report.measured} were opened, chosen by name. "


def _left_out(report):
    num = sum(report.left_out.values())
    if not num:
        return GOOD, "Every row can be used."
    total = num + sum(report.usable.values())
    kinds = ", ".join(f"{c.count} {c.kind}" for c in report.complaints[:5])
    more = " and others" if len(report.complaints) > 5 else ""
    bad = BAD if num > total / 20 else LOOK
    stop = " Training stops at more than half of them." if num > total / 2 else ""
    return bad, f"{counted(num, 'row')} of {total} left out: {kinds}{more}.{stop}"


def _leaks(report):
    if not report.num_leaks:
        return GOOD, "No picture is in train and in test."
    return BAD, (
        f"{counted(report.num_leaks, 'test picture')} with a copy in train: an evaluation "
        "rewards what was learned by heart. Put all copies into one of the two, or remove them."
    )


def _copies(report):
    if not report.num_copies:
        return GOOD, "No two pictures of a split are copies of each other."
    return LOOK, (
        f"{counted(report.num_copies, 'picture')} too many: a picture is there several times, "
        "perhaps stored in other ways. Keep one, with the captions of all."
    )


def _blank(report):
    if report.num_blank:
        pictures = counted(report.num_blank, "picture")
        return LOOK, f"{pictures} of one plain colour, such as {report.blank[0]}."
    return None


def _sizes(report):
    files, num = report.files, report.measured
    lines = []
    if files.too_small:
        lines.append(f"{counted(files.too_small, 'picture')} smaller than {files.image_size} px")
    if files.far_from_square:
        pictures = counted(files.far_from_square, "picture")
        lines.append(f"{pictures} over 1.5 times as long as wide, of which the ends are cut off")
    if lines:
        much = max(files.too_small, files.far_from_square) > num / 20
        return LOOK if much else GOOD, "; ".join(lines) + "."
    return GOOD, f"All pictures have {files.image_size} pixels or more, and are about square."


def _captions(report):
    total = sum(column.captions for column in report.columns)
    different = sum(column.different for column in report.columns)
    if total and different < total / 10:
        return LOOK, (
            f"Only {different} of {total} captions differ: the model can learn to tell those "
            "apart, and no more."
        )
    return None


def _in_both(report):
    test = report.usable.get("test", 0)
    if not test or not report.captions_in_both:
        return None
    share = percent(report.captions_in_both, test)
    mostly = 2 * report.captions_in_both > test
    return (LOOK if mostly else GOOD), (
        f"Of {share} of the test pictures the captions stand in train, too; only the others ask "
        "for something new."
    )


def _others(report):
    if not report.other_columns:
        return None
    names = ", ".join(report.other_columns)
    return GOOD, f"Other columns of text, not read: {names}. If they are captions: --captions."
