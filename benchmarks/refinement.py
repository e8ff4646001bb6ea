"""What it gains to draw N pictures of a caption and to keep the best, and what it costs.

What judges is neither of the size nor of the seed of what chooses. Run `kgen matcher RUN` first,
where the run has no matcher.

python -m benchmarks.refinement runs/nouns64 ../shared/data/nouns64.zip --num 128
"""

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np

from kgen import files
from kgen.evaluation.caption_match import contradictions, r_precision_hits
from kgen.evaluation.distance import frechet_distance
from kgen.evaluation.figures import share_figure
from kgen.evaluation.held_out import load_held_out
from kgen.evaluation.judges import judge_for
from kgen.pipeline import TextToImage

AT_ONCE = 32  # captions
TIMED = 8  # captions of one timing
REPEATS = 5


@click.command()
@click.argument("model", metavar="RUN_OR_PRESET")
@click.argument("data", required=False)
@click.option("--counts", default="1,2,4,8,16", show_default=True, help="Each N.")
@click.option("--steps", default=8, show_default=True, help="K, for a second row of each N.")
@click.option("--num", default=256, show_default=True, help="Test captions.")
@click.option("--epochs", type=int, help="Of the judge, instead of as many as it needs.")
@click.option("--out", type=click.Path(dir_okay=False), help="JSON file for the figures.")
def main(model, data, counts, steps, num, epochs, out):
    """Print R-precision, Fréchet distance and time against N, without steps and with."""
    painter = TextToImage.from_preset(model)
    held_out = load_held_out(painter.config, data, num)
    test, training = held_out.test, held_out.training
    judge = judge_for(training, epochs)
    captions = [several[0] for several in test.captions]
    rows = np.linspace(0, len(training) - 1, len(test)).round().astype(int)
    reference = judge.picture_features(training.in_memory(np.unique(rows)).pixels)
    of_captions, rivals = judge.caption_vectors(captions), contradictions(test)
    settings = [(int(n), k) for k in dict.fromkeys((0, steps)) for n in counts.split(",")]
    found = []
    click.echo("| N | steps | R-precision of 100 | 95 % | Fréchet distance | own score | time |")
    click.echo("|---|---|---|---|---|---|---|")
    for refine, refine_steps in settings:
        pixels, own = [], []
        for i in range(0, len(captions), AT_ONCE):
            drawn, chosen = painter.generate_chosen(
                captions[i : i + AT_ONCE], i, refine=refine, refine_steps=refine_steps
            )
            pixels.append(drawn)
            own += [choice.score for choice in chosen]
        pixels = np.concatenate(pixels)
        hits = r_precision_hits(judge.picture_vectors(pixels), of_captions, captions, rivals=rivals)
        seconds = _seconds_a_picture(painter, captions[:TIMED], refine, refine_steps)
        row = {
            "count": refine,
            "steps": refine_steps,
            "r_precision": share_figure(hits),
            "frechet": frechet_distance(reference, judge.picture_features(pixels)),
            "own_score": float(np.mean(own)) if own else None,
            "seconds": seconds,
        }
        found.append(row)
        match = row["r_precision"]
        click.echo(
            f"| {refine} | {refine_steps} | {100 * match['value']:.1f} | "
            f"{100 * match['low']:.1f} to {100 * match['high']:.1f} | {row['frechet']:.1f} | "
            f"{row['own_score'] or float('nan'):.3f} | {seconds / found[0]['seconds']:.1f} |"
        )
    if out:
        files.write_json(out, found)


def _seconds_a_picture(painter, captions, refine, refine_steps):
    """Least seconds of some repetitions, as other programs only ever add to them."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        painter.generate(captions, refine=refine, refine_steps=refine_steps)
        times.append(time.perf_counter() - began)
    return min(times) / len(captions)


if __name__ == "__main__":
    main()
