"""python -m benchmarks.ladder runs/half scenes_64_small: compressed models beside the full one.

Each is exported, and its float32 and int8 files, where they pass their gates, draw the same
held-out captions and are timed in turns: the file that goes from token ids to the picture, and the
whole way from a new caption to pixels. One judge and one classifier, of the real training
pictures, judge them all. `--grid` shows what the int8 files draw, one beneath the other.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import itertools
from pathlib import Path

import click
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from benchmarks.ablation_judging import judge
from benchmarks.machine import describe
from benchmarks.timing import in_turns, summary
from kgen import files
from kgen.config import DataConfig
from kgen.data.scenes import ATTRIBUTES
from kgen.export import proof
from kgen.export.litert.exporting import export_litert
from kgen.noise import sample_noise
from kgen.pictures import captioned_grid, save_png
from kgen.pipeline import TextToImage
from kgen.presets import model_folder
from kgen.real_captions import real_captions
from kgen.runtime.painter import RuntimePainter
from kgen.runtime.precisions import file_name

PRECISIONS = ("float32", "int8")
DATA = DataConfig(captions="text,text_zh", num_scenes=12_000)
SHOWN = (
    "雪地的夜晚，左边是月亮，雪花飘落",
    "a boat on a lake at sunset, the sun on the right",
    "正午的群山，有三棵树",
    "a city at night, the moon in the center, many stars",
    "沙漠上的热气球，清晨，右边是太阳",
    "two birds over the sea at dawn, the sun on the left",
    "草地上的小屋，傍晚，有淡淡的雾",
    "a pine forest at noon, light rain",
)
CAPTIONS = ("正午的大海，左边是太阳", "a snowy night, the moon on the right")
ROUNDS = 40


def _known(context, parameter, models):
    """Told before minutes are spent on those before it."""
    for model in models:
        try:
            model_folder(model)
        except (FileNotFoundError, ValueError) as error:
            raise click.BadParameter(str(error)) from None
    return models


@click.command()
@click.argument("models", nargs=-1, required=True, callback=_known)
@click.option("--full", default="scenes_64", show_default=True)
@click.option("--exported", type=click.Path(path_type=Path), default=Path("runs/ladder"))
@click.option("--out", type=click.Path(dir_okay=False), help="JSON file for the figures.")
@click.option("--grid", type=click.Path(dir_okay=False), help="PNG file of what is drawn.")
def main(models, full, exported, out, grid):
    """Print the ladder as a table."""
    painters, files_of, rows = {}, {}, {}
    for model in (full, *models):
        painter = TextToImage.from_preset(model)
        place = exported / Path(model).name
        paths = {each: place / "litert" / file_name("model", each) for each in PRECISIONS}
        for precision, path in paths.items():
            name = f"{painter.name}, {precision}"
            if not path.is_file():
                try:
                    export_litert(painter, place, real_captions(painter), [precision])
                except proof.GateError as error:
                    click.echo(f"{name}: {error}")
                    continue
            painters[name] = RuntimePainter(place, 1, precision)
            size = path.stat().st_size
            rows[name] = {"bytes": size, "parameters": painter.model.count_params()}
            files_of[name] = _drawing(path, painter)
    of_files = in_turns(files_of, ROUNDS)
    turn = itertools.count()
    of_captions = in_turns(
        {name: lambda each=each: each.generate([f"{CAPTIONS[0]} {next(turn)}"])
         for name, each in painters.items()},
        ROUNDS,
    )  # fmt: skip
    for name, painter in painters.items():
        rows[name] |= {"file": summary(of_files[name]), "caption": summary(of_captions[name])}
        rows[name] |= judge(painter, "scenes", DATA, tuple(ATTRIBUTES))
    figures = {"machine": describe(), "rows": rows}
    if out:
        files.write_json(out, figures)
    if grid:
        drawn = [each.generate(SHOWN) for name, each in painters.items() if name.endswith("int8")]
        sheet = captioned_grid(np.concatenate(drawn, axis=1), SHOWN, len(SHOWN))
        save_png(grid, sheet)
    click.echo(as_markdown(figures))


def _drawing(path, painter):
    """Draws one picture on one thread."""
    token_ids = painter.tokenizer(CAPTIONS[:1]).numpy()
    noise = sample_noise(1, painter.config.networks.noise_dim, seed=0)
    draw = Interpreter(str(path), num_threads=1).get_signature_runner("serving_default")
    return lambda: draw(token_ids=token_ids, noise=noise)


def as_markdown(figures) -> str:
    """Size, speed and quality of each."""
    rows = figures["rows"]
    first = next(iter(rows.values()))
    attributes = list(first["obedience"])
    head = ["", "kB", "ms", "ms, caption to pixels", "Fréchet distance", "R-precision"]
    head += attributes
    lines = [figures["machine"], "", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, row in rows.items():
        obeyed = [f"{100 * row['obedience'][each]:.1f}" for each in attributes]
        took = [f"{row[way]['median_ms']:.3f}" for way in ("file", "caption")]
        cells = [name, f"{row['bytes'] / 1000:.0f}", *took,
                 f"{row['distance']:.1f}", f"{100 * row['match']:.1f}", *obeyed]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    real = [f"{100 * first['real'][each]:.1f}" for each in attributes]
    lines.append(f"| real pictures | | | | 0 | {100 * first['real']['match']:.1f} | "
                 + " | ".join(real) + " |")  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    main()
