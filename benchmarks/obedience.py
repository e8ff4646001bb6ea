"""Which of several models of one set obey best: runs under way, checkpoints, presets.

python -m benchmarks.obedience --data ../shared/data/nouns64.zip runs/a runs/b

One classifier, as of `kgen evaluate`, judges them all; it is kept in `--classifier`, since it takes
longer to train than a model to be judged. An export among the models draws by its LiteRT files.
"""

import dataclasses
from pathlib import Path

import click
import keras
import numpy as np

from kgen import files
from kgen.data.loading import load_pictures
from kgen.evaluation.attribute_classifier import (
    AttributeClassifier,
    attribute_names,
    train_classifier,
)
from kgen.evaluation.attributes import measure_obedience
from kgen.pipeline import TextToImage
from kgen.runtime.painter import RuntimePainter

MOST_CLASSES = 8  # of an attribute whose classes are told one by one


@click.command()
@click.argument("models", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--data", default="", help="Empty: the scenes that kgen draws.")
@click.option("--classifier", type=click.Path(path_type=Path), default=Path("runs/classifiers"))
@click.option("--num", default=1024, show_default=True, help="Captions, at most.")
@click.option("--draws", default=1, show_default=True, help="Pictures of each caption.")
@click.option("--part", default="test", type=click.Choice(["test", "train"]), show_default=True)
@click.option("--precision", default="int8", show_default=True, help="Of the exports' files.")
def main(models, data, classifier, num, draws, part, precision):
    """Print how often each model draws what the caption says, against real pictures."""
    painter = TextToImage.from_preset(models[0])
    config = dataclasses.replace(painter.config.data, path=data)
    size, seed = painter.image_size, painter.config.training.seed
    judge = _classifier(config, size, seed, classifier / f"{Path(data).stem or 'scenes'}_{size}")
    pictures = load_pictures(config, size, seed, split=part)
    rows = np.linspace(0, len(pictures) - 1, min(num, len(pictures))).astype(int)
    pictures = pictures.in_memory(np.repeat(np.unique(rows), draws))
    for folder in models:
        told = []
        exported = (folder / "litert").is_dir()
        draw = RuntimePainter(folder, 2, precision) if exported else TextToImage.from_preset(folder)
        found = measure_obedience(draw.generate, pictures, judge)
        for name, of in found.items():
            told.append(f"{name} {_percent(of['ratio'])}")
            if len(of["classes"]) <= MOST_CLASSES and min(of["ratio"]) < 0.99:
                right = [(c, one["num_right"]) for c, one in of["classes"].items()]
                counts = [f"{c or '-'} {'/'.join(map(str, r['generated']))} of {r['real']}"
                          for c, r in right]  # fmt: skip
                told.append(f"({'; '.join(counts)})")
        click.echo(f"{folder}: {' '.join(told)}")


def _classifier(config, size, seed, path):
    """The classifier of the set's training pictures, trained unless it is kept at `path`."""
    network, classes = path.with_suffix(".keras"), path.with_suffix(".json")
    if network.is_file() and classes.is_file():
        named = {name: tuple(of) for name, of in files.read_json(classes).items()}
        return AttributeClassifier(named, keras.saving.load_model(network, compile=False))
    pictures = load_pictures(config, size, seed, split="train")
    trained = train_classifier(pictures, attribute_names(pictures))
    path.parent.mkdir(parents=True, exist_ok=True)
    trained.network.save(network)
    files.write_json(classes, trained.classes)
    return trained


def _percent(ratios):
    return " / ".join(f"{100 * ratio:.1f}" for ratio in ratios)


if __name__ == "__main__":
    main()
