"""What the judge of captions finds of real held-out pictures: the most that any model can reach.

python -m benchmarks.judges --data ../shared/data --only scenes,emoji64
"""

import dataclasses
import time
from pathlib import Path

import click

from kgen.config import DataConfig
from kgen.data.loading import load_pictures
from kgen.evaluation.caption_match import caption_swap, contradictions, r_precision
from kgen.evaluation.matching import train_matcher

SCENES = "scenes"
COLUMNS = {SCENES: 2, "nouns64": 1, "emoji64": 2, "dcss64": 1, "pomology128": 2}


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path("../shared/data"))
@click.option("--only", default=",".join(COLUMNS), show_default=True)
@click.option("--size", type=int, default=64, show_default=True)
@click.option("--epochs", type=int, default=None, help="Instead of what train_matcher takes.")
def main(data, only, size, epochs):
    """Train a judge for each set, and print what it makes of real pictures."""
    click.echo("| set | pictures | seconds | caption | R-precision of 100 | caption swap |")
    click.echo("|---|---|---|---|---|---|")
    for name in only.split(","):
        path = "" if name == SCENES else str(data / f"{name}.zip")
        columns = ("text", "text_zh")[: COLUMNS[name]]
        config = DataConfig(path=path, captions=",".join(columns))
        training = load_pictures(config, size)
        test = load_pictures(dataclasses.replace(config, num_scenes=1000), size, split="test")
        start = time.monotonic()
        matcher = train_matcher(training, epochs)
        seconds = time.monotonic() - start
        vectors, rivals = matcher.picture_vectors(test.pixels[:]), contradictions(test)
        for column, language in enumerate(columns):
            captions = [several[min(column, len(several) - 1)] for several in test.captions]
            of_captions = matcher.caption_vectors(captions)
            found = r_precision(vectors, of_captions, captions, rivals=rivals)
            told = caption_swap(vectors, of_captions, captions, rivals=rivals)
            click.echo(
                f"| {name} | {len(training)} | {seconds:.0f} | {language} | {100 * found:.1f} | "
                f"{100 * told:.1f} |"
            )


if __name__ == "__main__":
    main()
