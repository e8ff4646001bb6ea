"""What the benchmarks divide by, which rows they run, and the table that they write."""

import json
from pathlib import Path

import keras
import numpy as np
from keras import layers
from PIL import Image


def test_forward_flop_by_hand(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[1])
    from benchmarks.flop import forward_flop

    image = keras.Input((8, 8, 3))
    h = layers.Conv2D(4, 3, strides=2, padding="same")(image)  # 2·3·3·3·4 at 4·4 places: 3456
    h = layers.Conv2DTranspose(2, 4, strides=2, padding="same")(h)  # 2·4·4·2·4 at 4·4: 4096
    h = layers.Dense(5)(layers.Flatten()(h))  # 2·(8·8·2)·5: 1280
    assert forward_flop(keras.Model(image, h)) == 3456 + 4096 + 1280


def test_picture_flop_by_hand(monkeypatch):
    """An LSTM of 3 tokens, 4 numbers each, and 2 units: 2 · 3 (4 + 2) · 8 = 288. Attention at 2 x 2
    places of 3 channels to 5 words of 4, 2 heads of 1: query and output 2 · 4 (3 · 2) twice, key
    and value 2 · 5 (4 · 2) twice, scores and sums 2 · 4 · 5 · 2 twice: 96 + 160 + 160 = 416."""
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[1])
    from benchmarks.flop import picture_flop
    from kgen.networks.layers import WordAttention

    ids = keras.Input((3, 4))
    encoder = keras.Model(ids, layers.LSTM(2)(ids), name="encoder")
    given = [keras.Input((2, 2, 3)), keras.Input((5, 4)), keras.Input((5,))]
    attended = WordAttention(num_heads=2, key_dim=1)(*given)
    generator = keras.Model(given, attended, name="generator")
    joined = keras.Model([ids, *given], [encoder(ids), generator(given)])
    assert picture_flop(joined) == 288 + 416


def _figures(row, seed, minutes, distance):
    real = {"match": 1.0, "head": 0.5}
    run = {"set": "nouns64", "row": row, "seed": seed, "minutes": minutes, "steps": 7}
    of = {"detail": 0.25, "match": 0.125, "obedience": {"head": 0.75}, "real": real}
    return {**run, "distance": distance, **of}


def test_figures_of_ablations_are_kept_and_a_new_one_counts_before_them(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[1])
    from benchmarks import ablations

    kept = tmp_path / "kept.json"
    runs = [_figures("base", 0, 3.0, 9.0), _figures("base", 1, 3.0, 5.0)]
    kept.write_text(json.dumps(runs), encoding="utf-8")
    monkeypatch.setattr(ablations, "FIGURES", kept)
    again = _figures("base", 0, 3.0, 4.0)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "any.json").write_text(json.dumps(again), encoding="utf-8")
    found = ablations.read_all(tmp_path / "out")
    assert [run["distance"] for run in found] == [4.0, 5.0]
    cells = "| 7 / 7 | 4.00 / 5.00 | 0.25 / 0.25 | 12.5 / 12.5 | 75.0 / 75.0 |"
    assert cells in ablations.tables(found)
    assert "| real pictures | | 0 | 0 | 100.0 | 50.0 |" in ablations.tables(found)
    assert ablations.jobs_of(["nouns64"], ["base"]) == [("nouns64", "base", s) for s in (0, 1)]
    assert ("fruit_300", "transfer", 0) in ablations.jobs_of(["fruit_300"], [])


def test_the_default_is_a_row_of_the_ablations():
    """What docs/ablations.md says of batch 8 is of what a user trains with."""
    from benchmarks import ablations
    from kgen.presets import preset_config

    row = ablations.config_of("nouns64", "batch_8", 0, Path("data")).training
    measured = {"augmentations": "", "precision": "bfloat16"}  # the latter where it is faster
    default = preset_config("pictures_64").updated({"training": measured}).training
    assert row == default


def test_strips_of_the_longest_runs_lie_beneath_each_other(tmp_path):
    from benchmarks.ablation_grid import write_grid
    from kgen.pictures import save_png

    for name, grey in (("real", 200), ("plain_0_4", 10), ("plain_0_18", 20), ("lecam_1_18", 30)):
        save_png(tmp_path / f"{name}.png", np.full((8, 64, 3), grey, np.uint8))
    write_grid(tmp_path / "none", ["plain"], tmp_path / "grid.png")
    assert not (tmp_path / "grid.png").exists()
    write_grid(tmp_path, ["plain", "lecam"], tmp_path / "grid.png")
    first = np.asarray(Image.open(tmp_path / "grid.png"))[:, 0, 0].tolist()
    assert [g for g in dict.fromkeys(first) if g in (10, 20, 30, 200)] == [200, 20, 30]


def test_calls_take_turns(monkeypatch):
    """Each is called once untimed and then as often as it is asked for, in every round."""
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[1])
    from benchmarks.timing import in_turns, summary

    order = []
    calls = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    seconds = in_turns(calls, 2, {"a": 1, "b": 2}.get)
    assert "".join(order) == "aabbb" * 2
    assert {name: len(several) for name, several in seconds.items()} == {"a": 2, "b": 4}
    # The middle half of 1 … 5 ms lies between 2 and 4; 95 % within 4 + 0.8 (5 - 4).
    found = summary([0.001, 0.002, 0.003, 0.004, 0.005])
    expected = {"median_ms": 3, "p95_ms": 4.8, "low_ms": 2, "high_ms": 4}
    assert {name: round(value, 6) for name, value in found.items()} == expected


def test_the_table_and_its_comparison(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[1])
    from benchmarks.table import as_markdown, compared

    def figures(share):
        drawn = {
            "name": "LiteRT int8", "batch": 64, "threads": 2, "median_ms": 20.0, "low_ms": 19.0,
            "high_ms": 21.0, "p95_ms": 22.0, "pictures_per_second": 3200.0,
            "share_of_peak": share, "ratio": 4.0,
        }  # fmt: skip
        trained = {"name": "bfloat16", "pictures_per_second": 200.0, "ratio": 1.4,
                   "share_of_peak": 0.5, "pipeline_ratio": 100.0}  # fmt: skip
        return {
            "machine": "a machine",
            "peaks": {kind: {"float32": 400.0, "bfloat16": 700.0}
                      for kind in ("matmul", "convolution")},
            "generation": [{"peak_gflops": 400.0, "flop": 159e6, "rows": [drawn]}],
            "memory": [{"name": "int8", "peak_mb": 95.0}],
            "training": [trained],
            "starting": [{"name": "import kgen", "seconds": 0.05, "ratio": 1.5}],
        }  # fmt: skip

    table = as_markdown(figures(0.75))
    row = "| LiteRT int8 | 64 | 20.00 (19.00 – 21.00; 22.00) | 3200 | 4.0 | 75% |"
    for line in (row, "| convolution | 400 | 700 |", "| bfloat16 | 200 | 1.40 | 50% | 100 |",
                 "| int8 | 95 |", "| import kgen | 0.05 | 1.5 |"):  # fmt: skip
        assert line in table
    told = compared(figures(0.5), figures(0.75))
    assert "| LiteRT int8, batch 64, 2 threads: share of peak | 0.5 | 0.75 | 1.50 |" in told


def test_precisions_are_told_where_they_end(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[1])
    from benchmarks.precisions import as_markdown

    ended = {"step": 300, "seconds": 9.0, "d_loss": 1.25, "g_loss": -0.5, "time": 0.875}
    points = [{**ended, "step": 150, "time": 0.5}, ended]
    curves = {("bfloat16", 1): {"machine": "A box", "pictures_per_second": 99.6, "points": points}}
    assert as_markdown(curves).splitlines() == [
        "A box",
        "",
        "|  | steps | pictures/s | D's loss | G's loss | time, % |",
        "|---|---|---|---|---|---|",
        "| bfloat16, seed 1 | 300 | 100 | 1.25 | -0.50 | 87.5 |",
    ]


def test_the_articles_model_beside_ours(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[1])
    from benchmarks.article_table import LITERT, PREDICT, as_markdown

    def judged(share):
        return {"distance": 9.96, "match": share, "obedience": {"time": share},
                "real": {"match": 0.9, "time": 1.0}}  # fmt: skip

    text = as_markdown({
        "machine": "A box", "minutes": 10.0, "size": 32,
        "quality": {"theirs": judged(0.25), "ours": judged(0.75)},
        "drawing": {
            PREDICT: {"ms": 60.0, "kb": None}, LITERT: {"ms": 6.0, "kb": 1234.4},
            "ours": {"ms": 0.5, "kb": 400.0},
        },
        "step_ms": {"16": 49.4, "64": 1900.0},
    })  # fmt: skip
    for line in (
        "A box; 10 minutes of training each, 32 x 32",
        "| Fréchet distance | 10.0 | 10.0 | 0 |",
        "| R-precision of 100 | 25.0 % | 75.0 % | 90.0 % |",
        "| time obeyed | 25.0 % | 75.0 % | 100.0 % |",
        f"| {PREDICT} |  | 60.00 | 1.0 | 0.1 |",
        "| ours | 400 | 0.50 | 120.0 | 12.0 |",
        "| 8 pictures | 49 | 1900 |",
    ):
        assert line in text.splitlines()
