"""From a run to a preset: half the bytes, with a card that says what it is and how good."""

import dataclasses
import os
import platform
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import kgen
from kgen import checks, files, model_folder, presets
from kgen.cards import as_card_page
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.loading import load_pictures
from kgen.evaluation.held_out import data_name
from kgen.evaluation.measuring import evaluate
from kgen.evaluation.own_matcher import give_matcher
from kgen.evaluation.sheets import write_sheets
from kgen.matcher import FOLDER as MATCHER
from kgen.matcher import Matcher
from kgen.mean_of_runs import mean_of_runs
from kgen.model_files import CARD
from kgen.pictures import captioned_grid, save_png
from kgen.pipeline import TextToImage
from kgen.training.lineage import runs_behind

CARD_PAGE = "card.md"
SAMPLES = "samples.png"
NUM_SAMPLES = 24
MOST_OFFERED = 8  # of their captions, for whoever looks for one to begin with
SHEETS = ("best", "worst", "closest")  # of those that an evaluation gives
MOST_BYTES = 5_000_000
ROOM_FOR_PICTURES = 600_000  # bytes of the card and its pictures, within these
ROOM = 200_000  # bytes of the card and its page
STRIPS = (10, 6, 3, 1)  # shown on a sheet: as many as fit
MOST_CLASSES = 12  # of an attribute whose classes stand in the card


def publish(
    run: str | os.PathLike | Sequence[str | os.PathLike],
    out: str | os.PathLike,
    license: str,
    credit: str = "",
    num: int = 1024,
    limits: str = "",
    epochs: int | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Path:
    """Writes the folder of a preset: the run's model with float16 weights, samples and a card.

    Args:
        run: The run's folder; of several runs that led on from one another, the mean of their
            weights is taken, as `mean_of_runs` says, and all else of the first.
        out: The preset's folder; its name is the preset's.
        license: Of the model, for the card.
        credit: What the data's owners ask to be said.
        num: Test pictures that the model is evaluated on.
        limits: What the pictures show that figures do not, in the words of who looked at them.
        epochs: As of `evaluate`.
        tell: Called with a line before each part of the evaluation.

    Returns:
        `out`. `card.json` in it holds name, hash, licence, credit, what was trained how long on
        which machine, the limits and the evaluation of exactly these weights; `card.md` says the
        same to be read. The run's matcher goes with it, or a small one.

    Raises:
        FileExistsError: `out` holds something else than a preset.
        ValueError: The preset would take more than 5 MB, or the run has no figures.
    """
    given = [run] if isinstance(run, (str, os.PathLike)) else run
    members = [presets.model_folder(os.fspath(one)) for one in given]
    out = Path(out)
    if out.exists() and not (out / CARD).is_file() and any(out.iterdir()):
        hint = "All that is in it would be lost: choose another."
        raise FileExistsError(checks.wrong("out", "a new folder or a preset's", str(out), hint))
    found = mean_of_runs(members)
    data = found.config.data.path or None
    runs = []
    for member in members:
        runs += [one for one in runs_behind(member) if one not in runs]
    with files.whole_folder(out) as folder:
        config = found.config.without_paths().updated({"name": out.name})
        model_folder.write_model(folder, config, found.vocabulary, found.model, dtype="float16")
        _check_size(folder)  # before minutes are spent on it
        _write_matcher(members[0], folder, data, epochs, tell)
        measured = evaluate(folder, data, num, epochs=epochs, tell=tell)
        painter, test = TextToImage.from_preset(folder), _test_part(found.config)
        _write_samples(painter, test, folder / SAMPLES)
        card = {
            "name": out.name,
            "hash": measured.report["about"]["hash"],
            "kgen": kgen.__version__,
            "license": license,
            "credit": credit,
            "data": data_name(found.config.data.path),
            "training": {
                **{name: _total(runs, name) for name in ("steps", "pictures", "minutes")},
                "runs": runs,
                "mean_of": [member.name for member in members],
                "precision": config.training.precision,
                "seed": config.training.seed,
                "machine": f"{os.cpu_count()} x {platform.machine()}, no GPU",
            },
            "parameters": found.model.count_params(),
            "captions": about_captions(painter, test),
            "limits": limits,
            "evaluation": compact(measured.report),
        }
        shown = [sheet for sheet in measured.sheets if sheet.name in SHEETS]
        shown = _write_what_fits(shown, folder, Model=out.name, Hash=card["hash"])
        files.write_json(folder / CARD, card)
        files.write_text(folder / CARD_PAGE, as_card_page(card, measured.report, shown, SAMPLES))
        _check_size(folder)
    return out


def compact(report: dict[str, Any]) -> dict[str, Any]:
    """A report for a card: five digits, words in short, no classes where there are many."""
    short = _rounded(report)
    for part in short["attributes"].values():
        if isinstance(part, dict) and len(part["classes"]) > MOST_CLASSES:
            del part["classes"]
    for column in short["words"].get("columns", ()):
        column["words"] = {
            one["word"]: {
                "generated": one["generated"]["value"],
                "real": one["real"] and one["real"]["value"],
                "num": one["generated"]["num"],
            }
            for one in column["words"]
        }
    return short


def read_limits(text: str) -> str:
    """The text, or what stands in the file of that name.

    Raises:
        ValueError: The file is no UTF-8 text.
    """
    if not os.path.isfile(text):
        return text
    try:
        return Path(text).read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{text}: not UTF-8 text. Save the file as UTF-8.") from None


def _rounded(value):
    if isinstance(value, dict):
        return {name: _rounded(of) for name, of in value.items()}
    if isinstance(value, list):
        return [_rounded(of) for of in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def _total(runs, name):
    return round(sum(run[name] or 0 for run in runs), 1)


def _write_matcher(run, folder, data, epochs, tell):
    """The run's matcher, float16, if the preset stays small enough with it, else a small one."""
    if (run / MATCHER).is_dir():
        Matcher.load(run / MATCHER).save(folder / MATCHER, "float16")
    if not _has_small_matcher(folder):
        tell("training a small matcher to go with the model; about 2 minutes")
        give_matcher(folder, data, epochs)
    if not _has_small_matcher(folder):
        shutil.rmtree(folder / MATCHER)
        most = f"{MOST_BYTES / 1e6:g} MB"
        tell(f"the preset comes without a matcher, as it would take over {most} with one")


def _has_small_matcher(folder):
    return (folder / MATCHER).is_dir() and _num_bytes(folder) <= MOST_BYTES - ROOM_FOR_PICTURES


def _write_what_fits(sheets, folder, **about):
    """Writes sheets with as many pictures as leave the preset small enough, and returns them."""
    for most in STRIPS:
        shown = [dataclasses.replace(sheet, strips=sheet.strips[:most]) for sheet in sheets]
        write_sheets(shown, folder, **about)
        if _num_bytes(folder) <= MOST_BYTES - ROOM:
            break
    return shown


def _num_bytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _check_size(folder):
    num_bytes = _num_bytes(folder)
    if num_bytes > MOST_BYTES:
        hint = "Train one with a smaller `networks.width` or `text.vocabulary_size`."
        expected = f"a model that takes at most {MOST_BYTES / 1e6:g} MB as a preset"
        raise ValueError(checks.wrong("run", expected, f"{num_bytes / 1e6:.1f} MB", hint))


def _test_part(config):
    size, seed = config.networks.image_size, config.training.seed
    return load_pictures(config.data, size, seed, split="test")


def _sample_captions(test):
    """Held-out captions from all over the test part, every language in turn."""
    rows = np.linspace(0, len(test) - 1, min(NUM_SAMPLES, len(test))).round().astype(int)
    return [test.captions[row][i % len(test.captions[row])] for i, row in enumerate(rows)]


def about_captions(painter: TextToImage, test: CaptionedPictures) -> dict[str, Any]:
    """What a card says of captions: `samples`, and `fewest_tokens` and `most_tokens` of one."""
    rows = (painter.tokenizer(list(of_picture)).numpy() for of_picture in test.captions)
    lengths = np.concatenate([np.count_nonzero(token_ids, axis=1) for token_ids in rows])
    tokens = {"fewest_tokens": int(lengths.min()), "most_tokens": int(lengths.max())}
    return {"samples": _sample_captions(test)[:MOST_OFFERED], **tokens}


def _write_samples(painter, test, path):
    captions = _sample_captions(test)
    sheet = captioned_grid(painter.generate(captions, seed=0), captions, columns=6)
    save_png(path, sheet, Model=painter.name, Hash=painter.hash, Caption="\n".join(captions))
