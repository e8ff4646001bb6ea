"""What a run of an ablation reached, on captions that it has not seen."""

import functools

import numpy as np

from benchmarks.ablation_grid import REAL_SHEET
from benchmarks.ablation_training import pictures_of
from kgen.evaluation.attribute_classifier import MAX_CLASSES, attribute_names, train_classifier
from kgen.evaluation.attributes import measure_obedience
from kgen.evaluation.caption_match import contradictions, r_precision
from kgen.evaluation.distance import frechet_distance
from kgen.evaluation.fine_structure import fine_structure_network
from kgen.evaluation.judges import judge_for
from kgen.evaluation.memorisation import measure_memorisation
from kgen.pictures import grid, save_png

NUM_DRAWN = 2048  # pictures that the distance is measured on
NUM_TEST = 1024
ATTRIBUTES = {
    "scenes": ("time", "terrain", "place", "extra", "weather"),
    "nouns64": ("background", "glasses", "body", "head"),
    "fruit_300": ("group",),
}
NUM_KINDS = 12  # of fruit, the commonest
NUM_SHOWN = 8  # pictures of a run for the eye


@functools.lru_cache(maxsize=2)
def _court(name, data, image_size, attributes):
    """Judge, classifier, pictures and what real ones reach, once in a process."""
    train = pictures_of(data, image_size, 0, "train")
    test = pictures_of(data, image_size, 0, "test")
    test = test.in_memory(np.arange(min(NUM_TEST, len(test))))
    names = [n for n in attribute_names(train) if n in attributes]
    matcher, classifier = judge_for(train), train_classifier(
        train, names, num_classes=NUM_KINDS if name == "fruit_300" else MAX_CLASSES
    )
    chosen = np.random.default_rng(0).permutation(len(train))[:NUM_DRAWN]
    look_closely = fine_structure_network(train.pixels)
    of_real = tuple(see(train.pixels[chosen]) for see in (matcher.picture_features, look_closely))
    captions = [train.captions[i][k % len(train.captions[i])] for k, i in enumerate(chosen)]
    return matcher, look_closely, classifier, test, of_real, captions


def judge(painter, name, data, attributes: tuple[str, ...] = ()) -> dict:
    """Distance, R-precision of 100 and obedience, over all caption columns.

    Args:
        painter: Draws.
        name: The set's, one of `ATTRIBUTES`.
        data: Its `DataConfig`.
        attributes: That captions say; none: the set's `ATTRIBUTES`.
    """
    court = _court(name, data, painter.image_size, attributes or ATTRIBUTES[name])
    matcher, look_closely, classifier, test, of_real, captions = court

    def draw(captions, seed):
        parts = [
            painter.generate(captions[i : i + 64], seed=seed + i)
            for i in range(0, len(captions), 64)
        ]
        return np.concatenate(parts)

    obedience = measure_obedience(draw, test, classifier, seed=1)
    drawn = draw(captions, 10**6)
    columns = range(max(map(len, test.captions)))
    having = [[i for i, of in enumerate(test.captions) if len(of) > c] for c in columns]
    asked = [[test.captions[i][c] for i in rows] for c, rows in enumerate(having)]
    false = contradictions(test)
    rivals = [false[np.ix_(rows, rows)] for rows in having]
    matches = [
        _match(matcher, draw(of, 2 * 10**6), of, others)
        for of, others in zip(asked, rivals, strict=True)
    ]
    real_matches = [
        _match(matcher, test.pixels[rows], of, others)
        for rows, of, others in zip(having, asked, rivals, strict=True)
    ]
    return {
        "distance": frechet_distance(of_real[0], matcher.picture_features(drawn)),
        "detail": frechet_distance(of_real[1], look_closely(drawn)),
        "match": float(np.mean(matches)),
        "obedience": {a: float(np.mean(o["generated"])) for a, o in obedience.items()},
        "real": {
            "match": float(np.mean(real_matches)),
            **{a: o["real"] for a, o in obedience.items()},
        },
    }


def copies(painter, pictures, data, sheet) -> dict:
    """How near the pictures come to those that were learned from; writes a strip of them, and
    beside it one of the real pictures of the same captions, which were not learned from.

    Args:
        painter: The model.
        pictures: What it has learned from.
        data: The whole set's `DataConfig`.
        sheet: PNG file, written.
    """
    name, size = "fruit_300", painter.image_size
    matcher, _, _, test, _, _ = _court(name, data, size, ATTRIBUTES[name])
    captions = [several[i % len(several)] for i, several in enumerate(test.captions)]
    drawn = painter.generate(captions, seed=3 * 10**6)
    for path, pixels in ((sheet, drawn), (sheet.with_name(REAL_SHEET), test.pixels)):
        shown = grid(pixels[:NUM_SHOWN], columns=NUM_SHOWN)
        save_png(path, shown, Captions="\n".join(captions[:NUM_SHOWN]))
    found = measure_memorisation(*map(
        matcher.picture_features, (drawn, pictures.pixels, test.pixels)
    ))  # fmt: skip
    return {"memorisation": found.ratio, "near": found.share_near}


def _match(matcher, pixels, captions, rivals):
    """R-precision, over five choices of candidates among captions that contradict its own."""
    of_pictures, of_captions = matcher.picture_vectors(pixels), matcher.caption_vectors(captions)
    return np.mean([
        r_precision(of_pictures, of_captions, captions, seed=s, rivals=rivals) for s in range(5)
    ])  # fmt: skip
