"""python -m benchmarks.pipeline DATA: how many times as fast as training the data comes, measured
while training runs.

Training reads its own batches; beside it a thread reads the same batches as fast as it can, so
both share the machine. Once with the pictures kept in memory, once with every one decoded anew.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import threading
import time

import click

from benchmarks import machine
from kgen.config import DataConfig
from kgen.data import folders, picture_cache
from kgen.data.batches import captions_to_learn_from, make_batches, tokenize_captions
from kgen.data.loading import load_pictures
from kgen.presets import preset_config
from kgen.text.tokenizer import CaptionTokenizer
from kgen.text.vocabulary import learn_vocabulary
from kgen.training.run import build_gan


class _Reader(threading.Thread):
    """Reads batches until it is told to stop, and counts them."""

    def __init__(self, batches):
        super().__init__(daemon=True)
        self.batches, self.count, self.stopped = batches, 0, False

    def run(self):
        for _ in self.batches:
            self.count += 1
            if self.stopped:
                return


def measure(path: str, captions: str, steps: int, in_memory: bool) -> tuple[float, float]:
    """Pictures/s of training, and of the pipeline beside it."""
    if not in_memory:
        folders.LOOKED_AT, picture_cache.CACHE_BYTES = 64, 0
    config = preset_config("pictures_64")
    pictures = load_pictures(DataConfig(path=path, captions=captions), config.networks.image_size)
    vocabulary = learn_vocabulary(
        captions_to_learn_from(pictures.captions), config.text.vocabulary_size
    )
    tokenizer = CaptionTokenizer.from_config(vocabulary, config.text)
    token_ids = tokenize_captions(tokenizer, pictures.captions)
    gan = build_gan(config, len(vocabulary))
    batch_size = config.training.batch_size

    def batches():
        return make_batches(pictures, token_ids, batch_size, seed=0)

    gan.fit(batches(), steps_per_epoch=2, verbose=0, shuffle=False)  # traces
    reader = _Reader(batches())
    reader.start()
    began, before = time.perf_counter(), reader.count
    gan.fit(batches(), steps_per_epoch=steps, verbose=0, shuffle=False)
    passed, read = time.perf_counter() - began, reader.count - before
    reader.stopped = True
    reader.join()
    return steps * batch_size / passed, read * batch_size / passed


@click.command()
@click.argument("data", type=click.Path(exists=True))
@click.option("--captions", default="text", show_default=True)
@click.option("--steps", default=40, show_default=True)
def main(data, captions, steps):
    """Print both ratios for DATA."""
    click.echo(machine.describe())
    for in_memory in (True, False):  # the second changes what the first must not see
        training, pipeline = measure(data, captions, steps, in_memory)
        how = "kept in memory" if in_memory else "decoded anew each time"
        click.echo(
            f"pictures {how}: training {training:.0f} pictures/s, beside it the pipeline "
            f"{pipeline:.0f}, {pipeline / training:.0f} times as many"
        )


if __name__ == "__main__":
    main()
