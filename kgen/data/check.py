"""Looks a set of captioned pictures over before it is trained on: the data doctor."""

import functools
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from kgen.checks import check_int, wrong
from kgen.data.doctor.advice import PRESET, advise, usual_image_size
from kgen.data.doctor.collecting import Collected, Picture, caption_columns, collect, count_texts
from kgen.data.doctor.complaints import sorted_complaints
from kgen.data.doctor.measuring import Measured, is_blank, measure_all, picture_facts
from kgen.data.doctor.report import Report, Saying, Shown
from kgen.data.doctor.similar import near_duplicates
from kgen.data.doctor.words import column_facts, same_caption, spread, vocabulary
from kgen.data.opening import open_source
from kgen.presets import preset_config
from kgen.text.words_that_matter import names_colour, says_side

SAMPLE = 10_000
SHOWN = 12
NO_CAPTION = "no caption in {}"
Progress = Callable[[Iterable, str, int | None], Iterable]


def no_progress(items: Iterable, _what: str, _total: int | None = None) -> Iterable:
    """The default for `progress`: says nothing."""
    return items


def check_data(
    path: str | os.PathLike,
    captions: Sequence[str] = (),
    sample: int = SAMPLE,
    progress: Progress = no_progress,
) -> Report:
    """Looks a set of captioned pictures over. What is bad is part of the report, no error.

    Args:
        path: Whatever `kgen train` reads: a folder, a zip, shards.
        captions: Caption columns; none to take those with usual names (text, text_zh, caption).
        sample: Most picture files that are opened. Rows and captions are read all.
        progress: Wraps (items, what they are, how many or None) to show how far it is.

    Raises:
        FileNotFoundError: There is nothing at `path`.
        ValueError: It is no set of captioned pictures, or names no picture at all.

    Example:
        >>> check_data("cats.zip").advice.command  # doctest: +SKIP
        'kgen train cats.zip --captions text --out my_run --minutes 30'
    """
    check_int("sample", sample, 1)
    with open_source(path) as source:
        found = collect(source, path, lambda rows: progress(rows, "rows", None))
        if not found.pictures:
            raise ValueError(_nothing(path, found))
        opened = _sample(found.pictures, sample)
        reads = [functools.partial(source.read, picture.name) for picture in opened]
        measured = list(progress(measure_all(reads), "pictures", len(reads)))
    texts = count_texts(found.pictures)
    columns, notes = caption_columns(found.filled, len(found.pictures), captions, texts)
    return _report(str(path), found, columns, notes, list(zip(opened, measured)))


def _report(
    path: str,
    found: Collected,
    columns: tuple[str, ...],
    notes: tuple[str, ...],
    opened: list[tuple[Picture, Measured]],
) -> Report:
    preset = preset_config(PRESET)
    problems = _problems(found, opened, columns)
    bad = {where for _, where, _ in problems[len(found.problems) :]}
    good = [(p, m) for p, m in opened if not m.problem and p.where not in bad]
    pictures = [picture for picture in found.pictures if picture.where not in bad]
    by_column = [
        column_facts(name, [p.columns.get(name, ()) for p in pictures], preset.text.caption_length)
        for name in columns
    ]
    texts = [text for picture in pictures for text in picture.captions(columns)]
    sides, colours = _saying(texts, says_side), _saying(texts, names_colour)
    words = vocabulary(texts)
    short_side = spread(min(m.width, m.height) for _, m in good).median
    image_size = usual_image_size(short_side)
    facts = picture_facts((m for _, m in good), image_size)
    groups = [[good[i][0] for i in group] for group in _alike([m for _, m in good])]
    leaks = [group for group in groups if {"train", "test"} <= {p.split for p in group}]
    copies = [group for group in groups if group not in leaks]
    blank = [p.name for p, m in good if is_blank(m.thumbnail)]
    usable = Counter(picture.split for picture in pictures)
    show = functools.partial(_shown, columns=columns)
    return Report(
        path=path,
        captions=columns,
        other_columns=tuple(c for c in sorted(found.filled) if c not in columns),
        notes=(*((found.broken,) if found.broken else ()), *notes),
        usable=dict(usable),
        left_out=dict(Counter(split for split, _, _ in problems)),
        pictures=len(found.pictures),
        measured=len(opened),
        complaints=sorted_complaints((where, reason) for _, where, reason in problems),
        files=facts,
        columns=tuple(by_column),
        captions_per_picture=spread(len(p.captions(columns)) for p in pictures),
        words=words,
        sides=sides,
        colours=colours,
        num_blank=len(blank),
        blank=tuple(blank[:SHOWN]),
        num_copies=sum(max(Counter(p.split for p in g).values()) - 1 for g in groups),
        copies=tuple(tuple(map(show, group[:6])) for group in copies[:SHOWN]),
        num_leaks=sum(p.split == "test" for group in leaks for p in group),
        leaks=tuple(tuple(map(show, _from_both(group))) for group in leaks[:SHOWN]),
        captions_in_both=_captions_in_both(pictures, columns),
        sample=tuple(map(show, _evenly([p for p, _ in good], 2 * SHOWN))),
        advice=advise(
            path,
            usable["train"],
            image_size,
            short_side,
            by_column,
            words,
            sides.share,
            colours.share,
            facts.block_size,
        ),
    )


def _nothing(path: str | os.PathLike, found: Collected) -> str:
    if found.broken:
        return found.broken
    hint = "It has no rows."
    if found.problems:
        _, where, reason = found.problems[0]
        hint = f"All of its {len(found.problems)} rows are bad; the first, {where}: {reason}."
    return wrong("path", "a set that names pictures", str(path), hint)


def _sample(pictures: Sequence[Picture], most: int) -> list[Picture]:
    """Those whose names hash lowest, in their own order; always the same of the same set."""
    if len(pictures) <= most:
        return list(pictures)
    hashes = [hashlib.sha1(picture.name.encode()).digest() for picture in pictures]
    last = sorted(hashes)[most - 1]
    return [picture for picture, value in zip(pictures, hashes) if value <= last]


def _problems(
    found: Collected, opened: Iterable[tuple[Picture, Measured]], columns: Sequence[str]
) -> list[tuple[str, str, str]]:
    """(split, where, reason) of rows without a row's sense, a caption, or a good picture."""
    reason = NO_CAPTION.format(", ".join(columns) or "any column")
    without = [(p.split, p.where, reason) for p in found.pictures if not p.captions(columns)]
    known = {where for _, where, _ in without}
    bad = [(p.split, p.where, m.problem) for p, m in opened if m.problem and p.where not in known]
    return [*found.problems, *without, *bad]


def _alike(measured: Sequence[Measured]) -> list[tuple[int, ...]]:
    if len(measured) < 2:
        return []
    return near_duplicates(np.stack([one.thumbnail for one in measured]))


def _from_both(group: Sequence[Picture]) -> list[Picture]:
    """Up to three of each split."""
    return [p for split in ("train", "test") for p in [q for q in group if q.split == split][:3]]


def _captions_in_both(pictures: Iterable[Picture], columns: Sequence[str]) -> int:
    pictures = list(pictures)
    said = {
        same_caption(text) for p in pictures if p.split == "train" for text in p.captions(columns)
    }
    return sum(
        all(same_caption(text) in said for text in p.captions(columns))
        for p in pictures
        if p.split == "test"
    )


def _saying(texts: Sequence[str], speaks: Callable[[str], bool]) -> Saying:
    saying = [text for text in texts if speaks(text)]
    return Saying(len(saying), len(texts), tuple(_evenly(list(dict.fromkeys(saying)), 6)))


def _evenly(items: Sequence, most: int) -> list:
    """Up to `most` of the items, spread over all of them."""
    if len(items) <= most:
        return list(items)
    return [items[i * len(items) // most] for i in range(most)]


def _shown(picture: Picture, columns: Sequence[str]) -> Shown:
    return Shown(picture.name, picture.split, tuple(picture.captions(columns)[:3]))
