"""From a run to a preset: half the bytes, with a card that says what it is and how good."""

import json
import os
import platform
from pathlib import Path

import kgen
from kgen import checks, files, model_folder
from kgen.data.loading import load_pictures
from kgen.evaluation.report import evaluate
from kgen.pictures import captioned_grid, save_png
from kgen.pipeline import TextToImage

CARD = "card.json"
SAMPLES = "samples.png"
NUM_SAMPLES = 24


def publish(
    run: str | os.PathLike, out: str | os.PathLike, license: str, credit: str, num: int = 1024
) -> Path:
    """Writes the folder of a preset: the run's model with float16 weights, samples and a card.

    Args:
        run: The run's folder.
        out: The preset's folder; its name is the preset's.
        license: Of the model, for the card.
        credit: What the data's owners ask to be said.
        num: Test pictures that the model is evaluated on.

    Returns:
        `out`. `card.json` in it holds name, hash, licence, credit, what was trained how long on
        which machine, and the evaluation of exactly these weights.
    """
    run, out = Path(run), Path(out)
    if out.exists() and not (out / CARD).is_file() and any(out.iterdir()):
        hint = "All that is in it would be lost: choose another."
        raise FileExistsError(checks.wrong("out", "a new folder or a preset's", str(out), hint))
    painter = TextToImage.from_preset(run)
    last = _last_figures(run / "metrics.jsonl")
    with files.whole_folder(out) as folder:
        config = painter.config.without_paths().updated({"name": out.name})
        model_folder.write_model(
            folder, config, painter.vocabulary, painter.model, dtype="float16"
        )
        data = painter.config.data.path or None
        report = evaluate(str(folder), data, num)
        card = {
            "name": out.name,
            "hash": report["hash"],
            "kgen": kgen.__version__,
            "license": license,
            "credit": credit,
            "data": Path(data).name if data else "kgen's procedural scenes",
            "training": {
                "steps": last["step"],
                "pictures": last["step"] * config.training.batch_size,
                "minutes": round(last["seconds"] / 60, 1),
                "precision": config.training.precision,
                "seed": config.training.seed,
                "machine": f"{os.cpu_count()} x {platform.machine()}, no GPU",
            },
            "parameters": painter.model.count_params(),
            "evaluation": {"num": report["num"], "attributes": report["attributes"]},
        }
        files.write_json(folder / CARD, card)
        _write_samples(TextToImage.from_preset(folder), painter.config.data, folder / SAMPLES)
    return out


def _last_figures(path):
    """The last line of a run's metrics.jsonl."""
    try:
        last = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
        return {name: last[name] + 0 for name in ("step", "seconds")}
    except (ValueError, IndexError, KeyError, TypeError):
        raise ValueError(
            f"{path}: the last line holds no figures of a run. Resume the run, or remove the line."
        ) from None


def _write_samples(painter, data, path):
    """A grid of held-out captions, every language in turn."""
    config = painter.config
    test = load_pictures(data, config.networks.image_size, config.training.seed, split="test")
    captions = [
        several[i % len(several)] for i, several in enumerate(test.captions[:NUM_SAMPLES])
    ]
    sheet = captioned_grid(painter.generate(captions, seed=0), captions, columns=6)
    save_png(path, sheet, Model=config.name, Hash=painter.hash, Caption="\n".join(captions))
