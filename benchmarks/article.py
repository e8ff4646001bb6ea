"""python -m benchmarks.article --out runs/article: kgen beside the article's own model.

Both learn from the same pictures of 32 x 32, for as many minutes each, one after the other; both
are judged on the same held-out captions. The article's model redraws a picture, so it is given a
real training picture of another caption beside each. Then each draws one picture at a time, in
turns, in TensorFlow and as a LiteRT file. `side_by_side.png` has the article's pictures above ours.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tempfile
import time
from pathlib import Path

import click
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from benchmarks.ablation_judging import judge
from benchmarks.ablation_training import pictures_of
from benchmarks.article_table import LITERT, PREDICT, as_markdown
from benchmarks.machine import describe
from benchmarks.timing import in_turns, summary
from kgen import files
from kgen.baselines.config import BaselineConfig
from kgen.baselines.litert import SIGNATURE
from kgen.baselines.litert import export_litert as export_redrawer
from kgen.baselines.network import build_redrawer, compile_redrawer
from kgen.baselines.pixel_tokens import pixel_tokens
from kgen.baselines.redrawer import Redrawer
from kgen.baselines.training import train_baseline
from kgen.config import DataConfig
from kgen.export.litert.exporting import export_litert
from kgen.pictures import captioned_grid, save_png
from kgen.pipeline import TextToImage
from kgen.presets import preset_config
from kgen.real_captions import real_captions
from kgen.runtime.painter import RuntimePainter
from kgen.runtime.precisions import file_name
from kgen.training.run import train

SIZE, SIZES = 32, (16, 32, 64)
DATA = DataConfig(captions="text,text_zh", num_scenes=12_000)
CAPTIONS = ("正午的大海，左边是太阳", "a snowy night, the moon on the right")
ROUNDS = 20
SHOWN = 6


class Redrawing:
    """The article's model as what is asked for pictures of captions.

    Args:
        redrawer: The model.
        sources: uint8 (N, H, W, 3). Real pictures that it is given to redraw.
    """

    image_size = SIZE

    def __init__(self, redrawer: Redrawer, sources: np.ndarray):
        self._redrawer, self._sources = redrawer, sources

    def generate(self, captions, seed=0):
        """uint8 (B, H, W, 3); picture i redraws a source that seed + i chooses."""
        chosen = [np.random.default_rng(seed + i).integers(len(self._sources))
                  for i in range(len(captions))]  # fmt: skip
        return self._redrawer.generate(captions, self._sources[chosen])


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--minutes", default=10.0, show_default=True, help="Of training, each.")
@click.option("--source", default="other", type=click.Choice(("other", "own")), show_default=True)
def main(out, minutes, source):
    """Train, and judge, what is not yet in OUT; time both."""
    pictures = pictures_of(DATA, SIZE, 0, "train")
    article, ours = out / f"article_{source}", out / "kgen"
    if not article.is_dir():
        config = BaselineConfig(image_size=SIZE, source=source, data=DATA)
        train_baseline(config, article, minutes=minutes, pictures=pictures)
    if not ours.is_dir():
        config = preset_config("pictures_64").updated({
            "networks": {"image_size": SIZE}, "data": {"captions": DATA.captions},
            "training": {"batch_size": 32, "report_interval": 10**6},
        })  # fmt: skip
        train(config, ours, minutes=minutes, progress=False, pictures=pictures)
    painters = {
        "the article's model": Redrawing(Redrawer.load(article), pictures.pixels),
        "kgen": TextToImage.from_preset(ours),
    }
    test = pictures_of(DATA, SIZE, 0, "test")
    figures = {"machine": describe(), "minutes": minutes, "size": SIZE, "quality": {}}
    captions = [test.captions[i][i % 2] for i in range(SHOWN)]
    for (name, painter), folder in zip(painters.items(), (article, ours)):
        judged = out / f"{folder.name}.json"
        if not judged.is_file():
            files.write_json(judged, judge(painter, "scenes", DATA))
        figures["quality"][name] = files.read_json(judged)
    drawn = [painter.generate(captions, seed=5) for painter in painters.values()]
    sheet = captioned_grid(np.concatenate(drawn, axis=1), captions, columns=SHOWN)
    save_png(out / "side_by_side.png", sheet)
    figures["step_ms"] = {str(size): _step_ms(size) for size in SIZES}
    figures["drawing"] = _timed(Redrawer.load(article), painters["kgen"], pictures.pixels[:1])
    files.write_json(out / "figures.json", figures)
    click.echo(as_markdown(figures))


def _step_ms(size, repeats=5):
    """Median milliseconds of a training step of the article's model, of random pictures."""
    config = BaselineConfig(image_size=size)
    model = build_redrawer(config, len(CAPTIONS) + 2)
    compile_redrawer(model, config.learning_rate)
    numbers = np.random.default_rng(0)
    tokens = numbers.integers(0, config.levels**3, (config.batch_size, config.num_pixels))
    token_ids = np.ones((config.batch_size, config.caption_length), "int32")
    target = numbers.random((config.batch_size, size, size, 3), "float32")
    took = []
    for _ in range(1 + repeats):  # the first makes the graph
        began = time.perf_counter()
        model.train_on_batch([token_ids, tokens.astype("int32")], target)
        took.append(1e3 * (time.perf_counter() - began))
    return float(np.median(took[1:]))


def _timed(redrawer, painter, source):
    """Milliseconds a picture, caption included, and kilobytes of the files that draw it."""
    with tempfile.TemporaryDirectory() as folder:
        place = export_redrawer(redrawer, Path(folder) / "article")
        export_litert(painter, Path(folder) / "kgen", real_captions(painter))
        draw = Interpreter(os.fspath(place), num_threads=2).get_signature_runner(SIGNATURE)
        runtime = {p: RuntimePainter(Path(folder) / "kgen", 2, p) for p in ("float32", "int8")}
        turn = iter(range(10**9))

        def caption():
            return f"{CAPTIONS[0]} {next(turn)}"  # a new one each time, which no cache knows

        def article_predict():
            tokens = pixel_tokens(source, redrawer.config.levels)
            given = {"token_ids": redrawer.tokenizer([caption()]), "picture_tokens": tokens}
            redrawer.model.predict(given, verbose=0)

        def article_litert():
            tokens = pixel_tokens(source, redrawer.config.levels).numpy()
            token_ids = redrawer.tokenizer([caption()]).numpy()
            draw(token_ids=token_ids, picture_tokens=tokens)

        took = in_turns({
            PREDICT: article_predict,
            "the article's model, traced": lambda: redrawer.generate([caption()], source),
            LITERT: article_litert,
            "kgen, traced": lambda: painter.generate([caption()]),
            **{f"kgen, LiteRT {p}": lambda each=each: each.generate([caption()])
               for p, each in runtime.items()},
        }, ROUNDS)  # fmt: skip
        sizes = {LITERT: place.stat().st_size / 1000}
        for precision in runtime:
            file = Path(folder) / "kgen" / "litert" / file_name("model", precision)
            sizes[f"kgen, LiteRT {precision}"] = file.stat().st_size / 1000
    return {
        name: {"ms": summary(seconds)["median_ms"], "kb": sizes.get(name)}
        for name, seconds in took.items()
    }


if __name__ == "__main__":
    main()
