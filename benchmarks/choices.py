"""Words or characters, stop words, augmentation: compared at equal minutes.

python -m benchmarks.choices --minutes 95 --out runs/choices   # trains and judges
python -m benchmarks.choices --out runs/choices --judge        # judges what is there

Every row is trained at the same time as the others with one thread, so whatever else the machine
does is shared by all; two rows that differ in their seed alone say what difference is none.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import numpy as np

from kgen import files
from kgen.config import DataConfig
from kgen.data.loading import load_pictures
from kgen.evaluation.caption_match import r_precision
from kgen.evaluation.distance import frechet_distance
from kgen.evaluation.matching import train_matcher
from kgen.pipeline import TextToImage

SETS = ("emoji64", "pomology128")
ROWS = {
    "characters": {},
    "characters_seed1": {"training.seed": 1},
    "words": {"text.segmentation": "words"},
    "stop_words": {"text.stop_words": True},
    "augmentation": {"training.augmentations": "auto"},
}
IMAGE_SIZE = 32
COLUMNS = ("text", "text_zh")
NUM_DRAWN = 1024  # pictures that the distance is measured on


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path("../shared/data"))
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--minutes", type=float, default=60.0, show_default=True)
@click.option("--judge", "judge_only", is_flag=True, help="Judge what is trained already.")
def main(data, out, minutes, judge_only):
    """Train every row on every set, and print the table."""
    if not judge_only:
        train_all(data, out, minutes)
    figures = [judge(data / f"{name}.zip", name, out) for name in SETS]
    figures = [row for rows in figures for row in rows]
    files.write_json(out / "choices.json", figures)
    click.echo(table(figures))


def train_all(data: Path, out: Path, minutes: float) -> None:
    """Trains the rows of all sets at the same time, each with one thread."""
    one_thread = dict.fromkeys(
        ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1"
    )
    out.mkdir(parents=True, exist_ok=True)
    running = []
    for name in SETS:
        for row, settings in ROWS.items():
            given = {"networks.image_size": IMAGE_SIZE, **settings}
            command = [
                sys.executable, "-m", "kgen.cli", "train", str(data / f"{name}.zip"),
                "--captions", ",".join(COLUMNS), "--out", str(out / f"{name}_{row}"),
                "--minutes", str(minutes),
                *(f"--set={key}={json.dumps(value)}" for key, value in given.items()),
            ]  # fmt: skip
            log = (out / f"{name}_{row}.log").open("w")
            environment = {**os.environ, **one_thread}
            running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
    for process in running:
        if process.wait():
            raise SystemExit(f"{' '.join(process.args)} failed: see its log")


def judge(data: Path, name: str, out: Path) -> list[dict]:
    """Steps, caption match on held-out captions, and distance of each row of a set."""
    config = DataConfig(path=str(data), captions=",".join(COLUMNS))
    train = load_pictures(config, IMAGE_SIZE)
    test = load_pictures(config, IMAGE_SIZE, split="test")
    matcher = train_matcher(train)
    chosen = np.random.default_rng(0).permutation(len(train))[:NUM_DRAWN]
    real = matcher.picture_vectors(train.pixels[chosen])
    rows = [{"set": name, "row": "real", **_match(matcher, test, lambda c: test.pixels[:])}]
    for row in ROWS:
        run = out / f"{name}_{row}"
        painter = TextToImage.from_preset(run)
        last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
        captions = [train.captions[i][k % len(train.captions[i])] for k, i in enumerate(chosen)]
        drawn = matcher.picture_vectors(_drawn(painter, captions))
        rows.append(
            {
                "set": name,
                "row": row,
                "steps": last["step"],
                "chance": last.get("augmentation_chance", 0.0),
                **_match(matcher, test, lambda c, painter=painter: _drawn(painter, c)),
                "distance": frechet_distance(real, drawn),
            }
        )
    return rows


def _match(matcher, test, draw):
    """R-precision on the test captions of each language, over five choices of candidates."""
    found = {}
    for column, language in enumerate(("en", "zh")):
        captions = [several[min(column, len(several) - 1)] for several in test.captions]
        pictures = matcher.picture_vectors(draw(captions))
        of_captions = matcher.caption_vectors(captions)
        found[language] = float(
            np.mean([r_precision(pictures, of_captions, captions, seed=s) for s in range(5)])
        )
    return found


def _drawn(painter, captions, batch_size=64):
    parts = [
        painter.generate(captions[i : i + batch_size], seed=i)
        for i in range(0, len(captions), batch_size)
    ]
    return np.concatenate(parts)


def table(figures: list[dict]) -> str:
    """The figures as Markdown."""
    lines = [
        "| set | row | steps | R-precision of 100, English | Chinese | distance |",
        "|---|---|---|---|---|---|",
    ]
    for f in figures:
        steps = f.get("steps", "")
        distance = f"{f['distance']:.3f}" if "distance" in f else "0"
        match = f"{100 * f['en']:.1f} | {100 * f['zh']:.1f}"
        lines.append(f"| {f['set']} | {f['row']} | {steps} | {match} | {distance} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
