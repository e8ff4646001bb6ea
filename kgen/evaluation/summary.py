"""A report in five sentences, and what it does not say."""

from typing import Any

SMALL = 100  # test pictures
HONOURED = 0.9
GOOD = 0.99
WEAK_JUDGE = 0.5
NUM_WEAKEST = 3


def hundred(share: float | None) -> str:
    """A share as of 100.

    Example:
        >>> hundred(0.9724), hundred(1.0), hundred(None)
        ('97.2', '100', '–')
    """
    if share is None:
        return "–"
    return f"{100 * share:.1f}".removesuffix(".0")


def summary(report: dict[str, Any]) -> list[str]:
    """Five sentences: captions, attributes, words, likeness, novelty."""
    parts = (
        ("caption_match", _captions, "Whether captions are obeyed"),
        ("attributes", _attributes, "Attributes"),
        ("words", _words, "Single words"),
        ("distance", _distances, "How real the pictures look"),
        ("memorisation", _novelty, "Whether pictures are copies"),
    )
    sentences = []
    for name, worded, subject in parts:
        part = report[name]
        reason = part.get("left_out")
        sentences.append(
            f"{subject} could not be measured: {reason.rstrip('.')}." if reason else worded(report)
        )
    return sentences


def limits(report: dict[str, Any]) -> list[str]:
    """What to keep in mind when reading the figures."""
    about = report["about"]
    lines = [
        "No figure sees all that eyes see: look at the samples, the best and the worst.",
        f"The judge has learned from {about['judge']['num_training']} real pictures and their "
        "captions, apart from the model; what it sees of real pictures is the most that can be "
        "seen of generated ones, so always read both.",
        f"Distances are of the features of {about['features']['name']}: "
        f"{about['features']['note']}. They depend on the number of pictures.",
        "An interval says how far a figure would move with other samples of the same kind, not "
        "how it would be on other data.",
    ]
    if about["split"] != "test":
        lines.insert(
            0,
            "THE SET HAS NO TEST PART: all is measured on training captions, which the model has "
            "seen, so the figures say nothing about new captions.",
        )
    for column in report["caption_match"].get("columns", ()):
        real = column["r_precision"]["real"]["value"]
        if real < WEAK_JUDGE:
            lines.append(
                f"The judge itself finds the captions ({column['name']}) of only {hundred(real)} "
                "in 100 real pictures: too few were there to learn from, or the captions say "
                "little of them. Trust what it says of captions and words accordingly."
            )
    if about["num"] < SMALL:
        lines.append(f"There are only {about['num']} test pictures: see how wide intervals are.")
    return lines


def weakest_attributes(attributes: dict[str, Any]) -> list[tuple[float, str]]:
    """(least ratio of any column, name) of each attribute, the weakest first."""
    told = [
        (min(c["ratio"]["value"] for c in part["columns"] if c["ratio"]), name)
        for name, part in attributes.items()
        if any(c["ratio"] for c in part["columns"])
    ]
    return sorted(told)


def _captions(report):
    told = []
    for column in report["caption_match"]["columns"]:
        found = column["r_precision"]
        told.append(
            f"in {hundred(found['generated']['value'])} of 100 ({column['name']}; "
            f"real pictures: {hundred(found['real']['value'])})"
        )
    candidates = report["caption_match"]["columns"][0]["candidates"]
    return f"A picture finds its caption among {candidates} {', '.join(told)}."


def _attributes(report):
    told = weakest_attributes(report["attributes"])
    if not told:
        return "Attributes are not recognised in real pictures either, so they say nothing."
    good = [name for ratio, name in told if ratio >= GOOD]
    if len(good) == len(told):
        return f"Seen at least 99 % as often as in real pictures: {', '.join(good)}."
    sentence = f"The weakest attribute is {told[0][1]}, seen {hundred(told[0][0])} % as often as "
    sentence += "in real pictures"
    if good:
        sentence += f"; at least 99 % as often: {', '.join(good)}"
    return sentence + "."


def _words(report):
    told = []
    for column in report["words"]["columns"]:
        words = column["words"]
        num = sum(one["generated"]["value"] >= HONOURED for one in words)
        weakest = ", ".join(
            f"`{one['word']}` ({hundred(one['generated']['value'])})" for one in words[:NUM_WEAKEST]
        )
        told.append(
            f"{num} of {len(words)} words are honoured in at least 90 of 100 ({column['name']}), "
            f"the weakest are {weakest}"
        )
    return "; ".join(told) + "."


def _distances(report):
    told = [
        _distance(report[name], subject)
        for name, subject in (
            ("distance", "in what they show"),
            ("fine_structure", "in how they are drawn"),
        )
    ]
    num = report["distance"]["num"]
    return f"The Fréchet distance of {num} generated to real pictures is {'; '.join(told)}."


def _distance(part, subject):
    said = f"{part['frechet']['generated']['value']:.4g} {subject}"
    real = [f"{part['frechet']['real']['value']:.4g}"] if part["frechet"]["real"] else []
    if "coverage" in part:
        covered = part["coverage"]
        said += f", near to {hundred(covered['generated']['value'])} % of them"
        if covered["real"]:
            real.append(f"{hundred(covered['real']['value'])} %")
    return f"{said} (unseen real pictures: {', '.join(real)})" if real else said


def _novelty(report):
    part = report["memorisation"]
    ratio = part["pixels"]["ratio"]["value"]
    verdict = "MEMORISED: pictures repeat the training's" if part["is_memorised"] else "Not copied"
    sentence = (
        f"{verdict}: generated pictures lie {ratio:.2f} times as far from their nearest training "
        f"picture as unseen real ones do (below {part['least_ratio']} counts as memorised)"
    )
    if "left_out" not in report["diversity"]:
        share = hundred(report["diversity"]["features"]["value"])
        sentence += f", and two pictures of one caption differ {share} % as much as two real ones "
        sentence += "of different captions"
    return sentence + "."
