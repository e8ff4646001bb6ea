"""The command line: the only module that prints and exits."""

import dataclasses
import json
import math
import os
import sys
import warnings
from pathlib import Path

import click

import kgen
from kgen import checks
from kgen.command_settings import (
    DEFAULT_PRESET,
    parse_setting,
    settings_of_run,
    with_settings,
)
from kgen.config import PRECISIONS, Config
from kgen.data.captioned_pictures import LeftOutWarning
from kgen.export.format_names import FORMATS
from kgen.given_path import GivenPath
from kgen.model_files import CONFIG
from kgen.presets import CONFIGS, model_folder, trained_presets
from kgen.runtime.precisions import PRECISIONS as OF_LITERT

SEED, COUNT = click.IntRange(0), click.IntRange(1, 1_000_000)
MODEL = click.argument("model", metavar="RUN_OR_PRESET")
DATA = GivenPath()
FOLDER = GivenPath(file_okay=False, path_type=Path)
FILE = GivenPath(dir_okay=False, exists=True, path_type=Path)
SETTINGS = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Such as networks.width=24."
)
POST = click.option(
    "--post",
    default="",
    metavar="NAME[=STRENGTH],…",
    help="denoise, contrast, colour, white_balance, sharpen, upscale; such as denoise,color=1.2.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(kgen.__version__)
@click.option("--debug", is_flag=True, help="Show traces and TensorFlow's log.")
def app(debug):
    """Captions, in Chinese or English, to pictures in milliseconds."""
    if not debug:
        _silence_tensorflow()


@app.command()
@click.argument("captions", nargs=-1, metavar="CAPTION…")
@click.option("--out", type=FOLDER, default=".", show_default=True, help="Folder for the pictures.")
@click.option(
    "--preset",
    default=DEFAULT_PRESET,
    show_default=True,
    help="A trained preset, or a run's folder.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Another, other pictures.")
@click.option("--count", type=COUNT, default=1, show_default=True, help="Pictures a caption.")
@click.option("--grid", is_flag=True, help="One picture of all, with captions, instead.")
@click.option("--captions", "captions_file", type=FILE, help="UTF-8 text file, a caption a line.")
@click.option(
    "--refine",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Draw as many a picture; keep the one that matches its caption best.",
)
@click.option(
    "--refine-steps",
    type=click.IntRange(0, 1000),
    default=0,
    show_default=True,
    help="Steps that the best is then moved towards its caption.",
)
@POST
@click.option(
    "--exact", is_flag=True, help="By the model itself, not by an export of it: as Python draws."
)
def generate(
    captions, out, preset, seed, count, grid, captions_file, refine, refine_steps, post, exact
):
    """Draw pictures of captions."""
    captions = [*captions, *_lines(captions_file)]
    if not captions:
        raise click.UsageError("Give a caption, or a file of captions with --captions.")
    folder = model_folder(preset)
    from kgen.generating import write_pictures

    refined = refine > 1 or refine_steps > 0
    painter = _exported_painter(folder) if not (post or refined or exact) else None
    painter = painter or _painter(folder, post)
    for caption in captions:
        _warn_of_unread(painter, caption)
    repeated = [caption for caption in captions for _ in range(count)]
    for path in write_pictures(painter, repeated, out, seed, grid, refine, refine_steps):
        click.echo(path)


@app.command()
@click.argument("data", type=DATA, required=False)
@click.option("--out", type=FOLDER, help="The run's folder.")
@click.option("--preset", help=f"Configuration to start from: {', '.join(CONFIGS)}.")
@click.option("--config", type=FILE, help="JSON file of settings over the preset's.")
@click.option("--captions", help="Caption columns, such as text,text_zh.")
@click.option("--word-vectors", type=FILE, help="word2vec or GloVe file that words start from.")
@click.option(
    "--from", "start_from", type=DATA, metavar="RUN_OR_PRESET", help="Model to start from."
)
@click.option("--steps", type=click.IntRange(1), help="Steps in all.")
@click.option("--minutes", type=click.FloatRange(0.01), help="Stop after these minutes.")
@click.option("--seed", type=SEED)
@click.option("--precision", type=click.Choice((*PRECISIONS, "auto")), help="Of the arithmetic.")
@SETTINGS
@click.option("--resume", is_flag=True, help="Go on with the run in --out.")
@click.option("--dry-run", is_flag=True, help="Print the configuration and stop.")
def train(
    data,
    out,
    preset,
    config,
    captions,
    word_vectors,
    start_from,
    steps,
    minutes,
    seed,
    precision,
    settings,
    resume,
    dry_run,
):
    """Train a model on DATA, captioned pictures in a folder, a zip, WebDataset, TFRecord or
    parquet shards, or COCO's JSON (default: landscapes that kgen draws itself).
    """
    flags = {
        "data.path": os.path.abspath(data) if data else None,
        "data.captions": captions,
        "data.word_vectors": os.path.abspath(word_vectors) if word_vectors else None,
        "training.start_from": start_from and str(model_folder(start_from).absolute()),
        "training.steps": steps,
        "training.seed": seed,
        "training.precision": precision,
    }
    given = {key: value for key, value in flags.items() if value is not None}
    given |= dict(map(parse_setting, settings))
    resolved = settings_of_run(preset, data, config, given, out, resume)
    _run(resolved, out, resume, minutes, dry_run, f"kgen train --out {out}")


@app.command()
@MODEL
@click.argument("data", type=DATA, required=False)
@click.option("--out", type=FOLDER, help="The new run's folder.")
@click.option("--keep", type=float, help="Share of all channels to keep, such as 0.5.")
@click.option("--target-kb", type=float, help="Most kilobytes of model_dynamic.tflite.")
@click.option("--target-ms", type=float, help="Most milliseconds of a picture, on one thread.")
@click.option("--steps", type=click.IntRange(1), help="Steps of training in all.")
@click.option(
    "--minutes",
    type=click.FloatRange(0.01),
    help="Stop after these minutes of steps; what is taught before is not counted.",
)
@click.option("--seed", type=SEED)
@SETTINGS
@click.option("--resume", is_flag=True, help="Go on with the run in --out.")
@click.option("--dry-run", is_flag=True, help="Print the configuration and stop.")
def compress(
    model, data, out, keep, target_kb, target_ms, steps, minutes, seed, settings, resume, dry_run
):
    """Make a smaller, faster model of a trained one: its channels that matter most, taught to draw
    what it draws. The pictures of DATA (default: what it was trained on) keep them real.
    """
    folder = model_folder(model)
    targets = {"target_kb": target_kb, "target_ms": target_ms}
    targets = {name: value for name, value in targets.items() if value is not None}
    goes_on = resume and out and (out / CONFIG).is_file()
    if not goes_on and (keep is None) == (not targets):
        ways = "either by --keep, or by --target-kb, --target-ms or both of these"
        raise click.UsageError(f"Say how small{', in one way' if targets else ''}: {ways}.")
    flags = {"training.steps": steps, "training.seed": seed}
    flags["data.path"] = os.path.abspath(data) if data else None
    given = {key: value for key, value in flags.items() if value is not None}
    given |= dict(map(parse_setting, settings))
    from kgen.compressing import kept_config, targeted_config
    from kgen.evaluation.held_out import check_data_is_known

    if goes_on:
        resolved = with_settings(Config.read(out / CONFIG), given)
    else:
        check_data_is_known(folder, data)
        by_share = keep is not None
        small = kept_config(folder, keep) if by_share else targeted_config(folder, **targets)
        name = {"name": out.resolve().name} if out else {}
        resolved = with_settings(small.updated(name), given)
    _run(resolved, out, resume, minutes, dry_run, f"kgen compress {model} --out {out}")


@app.group()
def data():
    """Look at captioned pictures, and pack them."""


@data.command()
@click.argument("path", type=DATA)
@click.option("--captions", help="Caption columns (default: those with usual names).")
@click.option(
    "--sample", type=COUNT, default=10_000, show_default=True, help="Most pictures opened."
)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@click.option("--html", type=GivenPath(dir_okay=False, path_type=Path), help="Write a page, too.")
def check(path, captions, sample, as_json, html):
    """Look over PATH, a set of captioned pictures, before training on it: what is bad in it, what
    its pictures and captions are like, and which settings suit it. Fails where nothing can be
    trained on.
    """
    from kgen.data.check import check_data
    from kgen.data.doctor.page import write_page
    from kgen.data.doctor.text import as_text

    columns = tuple(name.strip() for name in captions.split(",")) if captions else ()
    report = check_data(path, columns, sample, _progress)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report), indent=2, ensure_ascii=False))
    else:
        click.echo(as_text(report))
    if html:
        write_page(report, html)
        click.echo(f"kgen: wrote {html}", err=True)
    if not report.advice.command:
        sys.exit(1)


@data.command()
@click.argument("path", type=DATA, metavar="DATA")
@click.option("--out", type=FOLDER, required=True, help="Folder for the shards; new or empty.")
@click.option(
    "--shard-mb",
    type=click.FloatRange(0.001),
    default=100,
    show_default=True,
    help="Megabytes from which the next shard is begun.",
)
def pack(path, out, shard_mb):
    """Write the captioned pictures in DATA as TFRecord shards, which train as DATA does."""
    from kgen.data.packing import pack as write

    packed = write(path, out, shard_mb)
    for file in packed.files:
        click.echo(file)
    counts = " and ".join(f"{count} {split}" for split, count in packed.counts.items())
    click.echo(f"kgen: {counts} pictures", err=True)
    if packed.problems:
        click.echo(
            f"kgen: {len(packed.problems)} rows were left out, as {out / 'problems.txt'} says; "
            f"the first: {packed.problems[0]}",
            err=True,
        )


@app.command()
@MODEL
@click.argument("data", type=DATA, required=False)
@click.option("--out", type=FOLDER, required=True, help="Folder for the exported files.")
@click.option(
    "--formats",
    default="saved_model,litert",
    show_default=True,
    help=f"Some of {', '.join(FORMATS)}; web is a page.",
)
@click.option(
    "--precisions",
    default=",".join(OF_LITERT),
    show_default=True,
    help="Some of these, from the nearest to the model to the fastest; of the LiteRT files.",
)
@POST
def export(model, data, out, formats, precisions, post):
    """Write a SavedModel for TF Serving and LiteRT files, each run and compared. The captions
    of DATA (default: of what the model was trained on) calibrate and prove them.
    """
    folder = model_folder(model)
    formats, precisions = _names(formats), _names(precisions)
    checks.check_choices("formats", formats, FORMATS)  # before the seconds that loading takes
    checks.check_choices("precisions", precisions, OF_LITERT)
    from kgen.export.exporting import export as write
    from kgen.real_captions import real_captions

    painter = _painter(folder, post)
    captions = real_captions(painter, data and os.path.abspath(data))
    proven = write(painter, out, formats, captions, precisions)
    for path in dict.fromkeys(proof.path for proof in proven):
        click.echo(out / path)
    click.echo(out / "PROOF.md")


@app.command()
@MODEL
@click.argument("data", type=DATA, required=False)
@click.option("--out", type=FOLDER, help="Folder for report.json, report.md, page.html, pictures.")
@click.option("--num", type=COUNT, default=1024, show_default=True, help="Most test pictures.")
@click.option(
    "--features",
    default="matcher",
    show_default=True,
    help="Network of the distances: matcher, trained on the real pictures, or inception.",
)
@click.option("--precision", type=click.Choice(tuple(PRECISIONS)), default="float32",
              show_default=True, help="Of the model's arithmetic.")  # fmt: skip
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of noise and choices.")
def evaluate(model, data, out, num, features, precision, seed):
    """Measure how good a model's pictures are, of captions that no training has seen: the test
    part of DATA (default: of what the model was trained on).
    """
    folder = model_folder(model)
    from kgen.evaluation.features import NETWORKS

    checks.check_choice("features", features, NETWORKS)
    if out:
        out.mkdir(parents=True, exist_ok=True)  # not minutes later
    from kgen.evaluation.measuring import evaluate as measure
    from kgen.evaluation.report import short_table, write_report

    data = data and os.path.abspath(data)
    found = measure(
        folder, data, num, seed=seed, features=features, tell=_tell, precision=precision
    )
    click.echo(short_table(found.report))
    if out:
        for path in write_report(found, out):
            click.echo(path)


@app.command()
@MODEL
@click.argument("data", type=DATA, required=False)
def matcher(model, data):
    """Train what `generate --refine` chooses pictures by, and put it into the model's folder.
    It learns from DATA (default: what the model was trained on); some minutes.
    """
    folder = model_folder(model)
    from kgen.evaluation.own_matcher import give_matcher

    click.echo(give_matcher(folder, data))


@app.command()
@click.argument("runs", nargs=-1, required=True, type=FOLDER, metavar="RUN…")
@click.option("--out", type=FOLDER, required=True, help="The preset's folder, with its name.")
@click.option("--license", required=True, help="Of the model, for its card.")
@click.option("--credit", default="", help="What the data's owners ask to be said.")
@click.option("--num", type=COUNT, default=1024, show_default=True, help="Most test pictures.")
@click.option(
    "--limits",
    default="",
    metavar="TEXT_OR_FILE",
    help="What the pictures show that figures do not, for the card.",
)
def publish(runs, out, license, credit, num, limits):
    """Make a preset of RUN: float16 weights, samples, and a card with its evaluation. Of several
    runs that led on from one another, the mean of their weights, and all else of the first.
    """
    from kgen.publishing import publish as write
    from kgen.publishing import read_limits

    limits = read_limits(limits)
    click.echo(write(runs, out, license, credit, num=num, limits=limits, tell=_tell))


@app.command()
def presets():
    """Name the trained presets, and the configurations to train from."""
    click.echo("trained (generate, export, evaluate): " + ", ".join(trained_presets()))
    click.echo("to train from (train --preset):       " + ", ".join(CONFIGS))


def main(arguments=None):
    """Runs the command line; every error is one line on stderr."""
    arguments = sys.argv[1:] if arguments is None else arguments
    warnings.showwarning = _show_warning
    try:
        sys.exit(app(arguments, standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except (ValueError, TypeError, OSError, MemoryError, ModuleNotFoundError) as error:
        if "--debug" in arguments:
            raise
        print(f"kgen: {_in_one_line(error)}", file=sys.stderr)
        sys.exit(1)


def _in_one_line(error) -> str:
    if isinstance(error, MemoryError):
        return "There is not enough memory. Use smaller pictures, or fewer."
    if isinstance(error, ModuleNotFoundError):
        return (
            f"This takes {error.name}, which is not installed: install kgen with all it needs; "
            "without, `kgen generate` draws by a preset or an export that holds LiteRT files."
        )
    if isinstance(error, OSError) and error.strerror:  # the system's, not worded by kgen
        hint = "Name a path that can be read or written."
        named = error.filename is not None
        place = f"{checks.one_line(os.fsdecode(error.filename))}: " if named else ""
        return f"{place}{error.strerror}. {hint}"
    return checks.one_line(" ".join(str(error).split()), 2000)


def _exported_painter(folder):
    """The model's LiteRT file, if it was exported: importing TensorFlow alone takes seconds."""
    from kgen.runtime.exported import exported
    from kgen.runtime.painter import RuntimePainter

    found = exported(folder)
    return found and RuntimePainter(found)


def _run(config, out, resume, minutes, dry_run, command):
    """Trains, or prints the configuration; `command` goes on with it."""
    if minutes is not None and math.isnan(minutes):
        raise click.UsageError(checks.wrong("--minutes", "a number", minutes, "Such as 20."))
    if dry_run:
        click.echo(json.dumps(config.to_dict(), indent=2, ensure_ascii=False))
        return
    if out is None:
        raise click.UsageError("Say where the run shall lie: --out FOLDER.")
    from kgen.training.run import train as run

    try:
        click.echo(run(config, out, resume=resume, minutes=minutes))
    except KeyboardInterrupt as stop:  # a `Stopped`, but for the second Ctrl-C
        step = getattr(stop, "step", None)
        at = "" if step is None else f" at step {step}, of which it wrote a checkpoint"
        click.echo(f"kgen: stopped{at}. Go on with: {command} --resume", err=True)
        sys.exit(128 + getattr(stop, "number", 2))


def _names(text):
    return tuple(name.strip() for name in text.split(","))


def _painter(folder, post):
    from kgen.pipeline import TextToImage
    from kgen.postprocess.post_process import PostProcess

    post = PostProcess.parse(post)  # before the model is loaded
    return TextToImage.from_preset(folder).with_post(post)


def _lines(path):
    if path is None:
        return []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not UTF-8 text. Save the file as UTF-8.") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _warn_of_unread(painter, caption):
    """Says what of a caption the model cannot follow."""
    tokenizer = painter.tokenizer
    shown = checks.one_line(caption if len(caption) <= 40 else caption[:39] + "…")
    unknown = dict.fromkeys(w for w in tokenizer.unseen_words(caption) if w.isalnum())
    if unknown:
        words = checks.one_line(", ".join(unknown))
        click.echo(f"kgen: {shown}: not in this model's vocabulary: {words}", err=True)
    unread = tokenizer.unread(caption)
    if unread:
        length = tokenizer.caption_length
        click.echo(f"kgen: {shown}: only {length} tokens are read, to before “{unread}”", err=True)
    read = sum(1 for token_id in tokenizer([caption])[0] if token_id)
    if 0 < 2 * read < painter.fewest_tokens:
        taught = f"was taught by captions of {painter.fewest_tokens} tokens and more"
        click.echo(f"kgen: {shown}: {read} tokens are few: {painter.name} {taught}", err=True)
    if not read:
        shown = shown if shown.strip() else "an empty caption"
        click.echo(f"kgen: {shown}: nothing to read in it: any picture may come", err=True)


def _tell(line):
    click.echo(f"kgen: {line}", err=True)


def _progress(items, what, total):
    """A bar on stderr, if somebody is there to look at it."""
    from tqdm import tqdm

    return tqdm(items, what, total, file=sys.stderr, leave=False, disable=not sys.stderr.isatty())


def _show_warning(message, category, *_where, **_to):
    """kgen's own warnings are told in a line; the libraries' are for those who develop kgen."""
    if issubclass(category, (LeftOutWarning, checks.ToldWarning)):
        click.echo(f"kgen: {checks.one_line(str(message), 2000)}", err=True)


def _silence_tensorflow():
    """Sends what TensorFlow's C++ prints on stderr away; Python's stderr stays."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    # As Python's own: names of files may hold bytes that are no UTF-8.
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)


if __name__ == "__main__":
    main()
