"""What word attention costs a phone: one picture in LiteRT, against a generator without it.

python -m benchmarks.attention

All variants are timed in turn, again and again, so that whatever else the machine does is shared;
what counts is the ratio. Weights are random, as they change no time.
"""

import time

import click
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from benchmarks.generation import CAPTIONS
from kgen.export.litert import convert
from kgen.model_folder import build_model
from kgen.noise import sample_noise
from kgen.pipeline import TextToImage
from kgen.presets import preset_config
from kgen.text.vocabulary import learn_vocabulary

VARIANTS = {
    "no attention": {"word_attention": False},
    "at 8 px": {"attention_size": 8},
    "at 8 and 16 px": {"attention_size": 16},
}


@click.command()
@click.option("--rounds", default=200, show_default=True)
@click.option("--threads", default=1, show_default=True)
def main(rounds, threads):
    """Print medians and ratios."""
    runners = {name: _runner(settings, threads) for name, settings in VARIANTS.items()}
    times = {name: [] for name in runners}
    for _ in range(rounds):
        for name, run in runners.items():
            began = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - began)
    medians = {name: float(np.median(each[10:])) for name, each in times.items()}
    least = medians["no attention"]
    for name, seconds in medians.items():
        click.echo(f"{name}: {1e3 * seconds:.2f} ms, {seconds / least:.2f} times")


def _runner(settings, threads):
    config = preset_config("scenes_64").updated({"networks": settings})
    vocabulary = learn_vocabulary(CAPTIONS, config.text.vocabulary_size)
    painter = TextToImage(config, vocabulary, build_model(config, len(vocabulary)))
    interpreter = Interpreter(model_content=convert(painter), num_threads=threads)
    draw = interpreter.get_signature_runner("serving_default")
    token_ids = painter.tokenizer(CAPTIONS[:1]).numpy()
    noise = sample_noise(1, config.networks.noise_dim, seed=0)
    return lambda: draw(token_ids=token_ids, noise=noise)


if __name__ == "__main__":
    main()
