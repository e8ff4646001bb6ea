"""What each part of the recipe gives: every row at equal time on one core, two seeds.

python -m benchmarks.ablations --out runs/ablations                 # all rows that are not there
python -m benchmarks.ablations --out runs/ablations --row words_0   # one row, also again
python -m benchmarks.ablations --out runs/ablations --keep          # docs/ablations.md anew

    python -m benchmarks.ablations --out runs/small --set fruit_300 --minutes 18

300 watercolours of pomology128, with and without augmentation, LeCam and the weights of the preset
scenes_64.

Each run has one thread and ends after so many minutes of the processor's time (not of the clock's),
so whatever else the machine does takes nothing from any. Scenes are drawn at 32 pixels; the
avatars of nouns64 are pixel art, drawn a block of 2 x 2 pixels at a time. Every figure is kept in
docs/ablations.json; what is there is measured again only where it is asked for by --row.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks.ablation_grid import write_grid
from benchmarks.ablation_table import as_markdown
from benchmarks.caption_vectors import captions_in, word_vectors, write_vectors
from kgen import files
from kgen.config import Config

BASE = {
    "networks": {"image_size": 32},
    "training": {"precision": "bfloat16", "batch_size": 32},
}
SETS = {
    "scenes": {"data": {"num_scenes": 12_000, "captions": "text,text_zh"}},
    "nouns64": {
        "networks": {"image_size": 64, "pixel_size": 2},
        "text": {"caption_length": 40},
    },
    "fruit_300": {"networks": {"image_size": 64}, "data": {"captions": "text,text_zh"}},
}
COMPARISON = {
    "networks": {"discriminator": "concatenation"},
    "training": {
        "contrastive_weight": 0.0,
        "word_weight": 0.0,
        "penalty": "matching_aware",
        "penalty_weight": 2.0,
        "penalty_interval": 2,
        "generator_rate": 1e-4,
        "discriminator_rate": 4e-4,
    },
}
# Name of the row, what it says, and its settings over BASE.
ROWS = {
    "base": ("as below, nothing changed", {}),
    "comparison": ("concatenation, matching-aware penalty, no contrast, no words", COMPARISON),
    "contrast_0": ("no contrastive loss", {"training": {"contrastive_weight": 0.0}}),
    "contrast_03": ("contrastive weight 0.3", {"training": {"contrastive_weight": 0.3}}),
    "contrast_3": ("contrastive weight 3", {"training": {"contrastive_weight": 3.0}}),
    "words_0": ("no word loss", {"training": {"word_weight": 0.0}}),
    "words_3": ("word weight 3", {"training": {"word_weight": 3.0}}),
    "concatenation": (
        "concatenation in place of projection",
        {"networks": {"discriminator": "concatenation"}},
    ),
    "mismatch_none": ("no mismatched captions", {"training": {"mismatches": "none"}}),
    "mismatch_all": ("all mismatched captions", {"training": {"mismatches": "all"}}),
    "mismatch_swapped": ("mismatched and swapped words", {"training": {"mismatches": "swapped"}}),
    "average_99": ("EMA 0.99", {"training": {"averaging": 0.99}}),
    "average_999": ("EMA 0.999", {"training": {"averaging": 0.999}}),
    "average_9995": ("EMA 0.9995", {"training": {"averaging": 0.9995}}),
    "r1_003": ("R1 γ = 0.03", {"training": {"penalty_weight": 0.03}}),
    "r1_01": ("R1 γ = 0.1", {"training": {"penalty_weight": 0.1}}),
    "r1_10": ("R1 γ = 10", {"training": {"penalty_weight": 10.0}}),
    "r1_every_4": ("R1 every 4th step", {"training": {"penalty_interval": 4}}),
    "relativistic": (
        "relativistic loss, R1 + R2 every 8th step",
        {"training": {"loss": "relativistic", "penalty": "r1_r2", "penalty_interval": 8}},
    ),
    "bag": ("T: bag", {"text": {"encoder": "bag"}}),
    "lstm": ("T: LSTM", {"text": {"encoder": "lstm"}}),
    "transformer": ("T: transformer", {"text": {"encoder": "transformer"}}),
    "word_vectors": ("T: starts from vectors of all sets' captions", {}),
    "caption_256": ("caption vector 256", {"text": {"caption_dim": 256}}),
    "attention_0": ("no word attention", {"networks": {"word_attention": False}}),
    "attention_8": ("word attention at 8 px only", {"networks": {"attention_size": 8}}),
    "wide_g": ("G of twice the width", {"networks": {"width": 32, "most_channels": 128}}),
    "texture_16": ("D looks at texture, 16 channels", {"networks": {"texture_width": 16}}),
    "texture_32": ("D looks at texture, 32 channels", {"networks": {"texture_width": 32}}),
    "batch_16": ("batch 16", {"training": {"batch_size": 16}}),
    "batch_8": ("batch 8", {"training": {"batch_size": 8}}),
    "batch_8_wide": (
        "batch 8, G of twice the width",
        {"networks": {"width": 32, "most_channels": 128}, "training": {"batch_size": 8}},
    ),
    "batch_8_attention_0": (
        "batch 8, no word attention",
        {"networks": {"word_attention": False}, "training": {"batch_size": 8}},
    ),
    "batch_4": ("batch 4", {"training": {"batch_size": 4}}),
    "comparison_8": (
        "the comparison, batch 8",
        {**COMPARISON, "training": {**COMPARISON["training"], "batch_size": 8}},
    ),
    "batch_64": ("batch 64", {"training": {"batch_size": 64}}),
    "capped": (
        "G asked to show no more than real pictures do",
        {"training": {"cap_by_real": True}},
    ),
    "float32": ("float32", {"training": {"precision": "float32"}}),
}
# What 300 pictures need: the same, over other rows.
SMALL_ROWS = {
    "plain": ("neither of these", {}),
    "augmented": ("augmentation auto", {"training": {"augmentations": "auto"}}),
    "lecam": ("LeCam 0.3", {"training": {"lecam_weight": 0.3}}),
    "augmented_lecam": (
        "augmentation auto, LeCam 0.3",
        {"training": {"augmentations": "auto", "lecam_weight": 0.3}},
    ),
    "transfer": ("from scenes_64", {"training": {"start_from": "scenes_64"}}),
    "transfer_augmented": (
        "from scenes_64, augmentation auto",
        {"training": {"start_from": "scenes_64", "augmentations": "auto"}},
    ),
}
NUM_FEW = 300
PAGE = Path(__file__).parents[1] / "docs" / "ablations.md"
FIGURES = PAGE.with_suffix(".json")
MARK = "<!-- Below: written by `python -m benchmarks.ablations --keep`. -->"
SEEDS = (0, 1)
ONE_THREAD = dict.fromkeys(
    ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1"
)


def config_of(name: str, row: str, seed: int, data: Path) -> Config:
    """The configuration of a row of a set."""
    config = Config.from_dict({"name": row}).updated(BASE).updated(SETS[name])
    config = config.updated(rows_of(name)[row][1]).updated({"training": {"seed": seed}})
    if name == "nouns64":
        return config.updated({"data": {"path": str(data / "nouns64.zip")}})
    if name == "fruit_300":
        return config.updated({"data": {"path": str(data / "pomology128.zip")}})
    return config


def rows_of(name: str) -> dict:
    """The rows of a set."""
    return SMALL_ROWS if name == "fruit_300" else ROWS


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path("../shared/data"))
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--minutes", type=float, default=3.0, show_default=True, help="Of the processor.")
@click.option("--row", "rows", multiple=True, help="Only these.")
@click.option(
    "--set",
    "sets",
    multiple=True,
    type=click.Choice(list(SETS)),
    default=("scenes", "nouns64"),
    show_default=True,
)
@click.option("--workers", default=2, show_default=True, help="Runs at the same time.")
@click.option("--keep", is_flag=True, help="Write the page and its figures, train nothing.")
@click.option("--worker", help="Used by the program itself: the runs to do.", hidden=True)
def main(data, out, minutes, rows, sets, workers, keep, worker):
    """Train and judge every row that is not there yet, and print the table."""
    if keep:
        runs = read_all(out)
        lines = ",\n".join(json.dumps(run, ensure_ascii=False) for run in runs)
        files.write_text(FIGURES, f"[\n{lines}\n]\n")
        above = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
        files.write_text(PAGE, f"{above}{MARK}\n\n{tables(runs)}\n")
        write_grid(out, SMALL_ROWS, PAGE.with_name("fruit_300.png"))
        return
    if worker:
        for job in json.loads(worker):
            train_and_judge(*job, data, out, minutes)
        return
    there = {key_of(run) for run in (measured_in(out) if rows else read_all(out))}
    jobs = [job for job in jobs_of(sets, rows) if (*job, minutes) not in there]
    out.mkdir(parents=True, exist_ok=True)
    running = []
    for i in range(workers):
        command = [
            sys.executable, "-m", "benchmarks.ablations", "--out", str(out), "--data", str(data),
            "--minutes", str(minutes), "--worker", json.dumps(jobs[i::workers]),
        ]  # fmt: skip
        log = (out / f"worker_{i}.log").open("a")
        environment = {**os.environ, **ONE_THREAD}
        running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
    if any([process.wait() for process in running]):
        raise SystemExit(f"A run failed: see the logs in {out}.")
    click.echo(tables(read_all(out)))


def train_and_judge(name, row, seed, data, out, minutes):
    """Trains one run, and writes its figures."""
    from benchmarks import ablation_judging, ablation_training

    began = time.monotonic()
    config = config_of(name, row, seed, data)
    num = NUM_FEW if name == "fruit_300" else None
    if row == "word_vectors":
        config = config.updated({"data": {"word_vectors": str(_vectors(data, out, config))}})
    painter, told, pictures = ablation_training.train(config, 60 * minutes, num)
    judged = ablation_judging.judge(painter, name, config.data)
    if num:
        sheet = out / f"{row}_{seed}_{minutes:g}.png"
        judged |= ablation_judging.copies(painter, pictures, config.data, sheet)
    line = {"set": name, "row": row, "seed": seed, "minutes": minutes, **told, **judged}
    files.write_json(out / f"{name}_{row}_{seed}_{minutes:g}.json", line)
    print(f"{name} {row} {seed}: {time.monotonic() - began:.0f} s", flush=True)


def _vectors(data, out, config):
    """Vectors learned from the captions of all sets, whichever is trained on."""
    path = out / "captions.vec"
    if not path.is_file():
        of_sets = captions_in(sorted(data.glob("*.zip")))
        write_vectors(path, word_vectors(of_sets, config.text.embedding_dim))
    return path


def jobs_of(sets: Sequence[str], rows: Sequence[str]) -> list[tuple[str, str, int]]:
    """Set, row and seed of every run: of the rows named, or of all; one seed after the other."""
    return [
        (name, row, seed)
        for seed in SEEDS
        for row in {**ROWS, **SMALL_ROWS}
        for name in sets
        if row in (rows or rows_of(name)) and row in rows_of(name)
    ]


def key_of(run: dict) -> tuple:
    """What makes a run another run."""
    return run["set"], run["row"], run["seed"], run["minutes"]


def read_all(out: Path) -> list[dict]:
    """Figures of all runs: those that the project keeps, and, before these, those in a folder."""
    kept = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.is_file() else []
    runs = {key_of(run): run for run in (*kept, *measured_in(out))}
    return [runs[key] for key in sorted(runs)]


def measured_in(out: Path) -> list[dict]:
    """Figures of the runs in a folder."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in out.glob("*.json")]


def tables(runs: list[dict]) -> str:
    """A table for each set and each time that runs were given."""
    return as_markdown(runs, {name: rows_of(name) for name in SETS})


if __name__ == "__main__":
    main()
