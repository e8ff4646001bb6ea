"""The ladder of LiteRT files: fewer bits, near the model; what is not is refused."""

import json

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from test_export import LENGTH, NOISE_DIM, build_painter, names_in

from kgen.export import proof
from kgen.export.captions import made_up
from kgen.export.exporting import export
from kgen.export.litert import (
    conversion,
    exporting,
    folded,
    metadata,
    packed,
    unrolled,
    writing,
)
from kgen.export.litert.graph import BATCHES
from kgen.export.litert.rungs import RUNGS
from kgen.networks.generator import build_generator
from kgen.networks.layers import Modulation, WordAttention
from kgen.noise import sample_noise
from kgen.runtime.painter import RuntimePainter
from kgen.text.encoders import build_encoder

CAPTIONS = ["a red boat at night", "夜晚的红色小船", ""]


@pytest.fixture(scope="module")
def painter():
    """As smooth as a trained model is: integers draw it well enough."""
    return build_painter("bilstm", spread=0.02)


@pytest.fixture(scope="module")
def ladder(painter, tmp_path_factory):
    out = tmp_path_factory.mktemp("ladder")
    return out, {each.path: each for each in export(painter, out, ["litert"])}


def runner(folder, name, signature="serving_default"):
    return Interpreter(str(folder / "litert" / name)).get_signature_runner(signature)


def test_every_precision_is_there_in_one_file_and_in_two(ladder):
    out, proofs = ladder
    parts = ("model", "encoder", "generator")
    files = {rung.file(part) for rung in RUNGS.values() for part in parts}
    assert {path.name for path in (out / "litert").glob("*.tflite")} == files
    assert set(proofs) == {f"litert/{name}" for name in files}
    sizes = [proofs[f"litert/{rung.file('model')}"].num_bytes for rung in RUNGS.values()]
    assert sizes[0] > sizes[1] > sizes[2]
    for each in proofs.values():
        assert "XNNPACK" in next(iter(each.notes))
        assert each.notes["taken by XNNPACK"].split(" of ")[0].isdecimal()


@pytest.mark.parametrize(
    ("name", "least_psnr_db"), [("float16", 60), ("dynamic", 40), ("int8", 30)]
)
def test_fewer_bits_draw_nearly_the_same(painter, ladder, name, least_psnr_db):
    """By the file itself, not by what the proof says of it; alone and four at a time."""
    token_ids = painter.tokenizer(["a red boat", "夜晚", "three birds", "小船"]).numpy()
    noise = sample_noise(4, NOISE_DIM, seed=21)
    expected = painter.generate_images(token_ids, noise).numpy()
    file = RUNGS[name].file("model")
    one, four = (runner(ladder[0], file, signature) for signature in BATCHES)
    rows = [one(token_ids=token_ids[i : i + 1], noise=noise[i : i + 1]) for i in range(4)]
    for drawn in (np.concatenate([row["image"] for row in rows]),
                  four(token_ids=token_ids, noise=noise)["image"]):  # fmt: skip
        psnr = 10 * np.log10(4 / np.mean((drawn - expected) ** 2))
        assert least_psnr_db - 3 < psnr < 100
    assert ladder[1][f"litert/{file}"].psnr_db >= least_psnr_db


def test_a_file_draws_the_same_whatever_it_drew_before(painter, ladder):
    draw = runner(ladder[0], "model.tflite")
    token_ids = painter.tokenizer(CAPTIONS).numpy()
    noise = sample_noise(1, NOISE_DIM, seed=3)
    first = draw(token_ids=token_ids[:1], noise=noise)["image"]
    draw(token_ids=token_ids[1:2], noise=noise)
    assert np.array_equal(draw(token_ids=token_ids[:1], noise=noise)["image"], first)


def test_apps_that_name_no_signature_get_a_batch_of_one(ladder):
    interpreter = Interpreter(str(ladder[0] / "litert" / "model.tflite"))
    shapes = {tuple(detail["shape"]) for detail in interpreter.get_input_details()}
    assert shapes == {(1, LENGTH), (1, NOISE_DIM)}


def test_weights_are_stored_as_integers(painter, ladder):
    """Those of the first dense layer, and the embeddings."""
    kernel, table = NOISE_DIM * 4 * 4 * 32, 16 * len(painter.vocabulary)
    for name, size in (("generator", kernel), ("encoder", table)):
        for file, width in ((f"{name}_int8.tflite", 1), (f"{name}.tflite", 4)):
            model = conversion.parsed((ladder[0] / "litert" / file).read_bytes())
            sizes = [len(buffer.data) for buffer in model.buffers if buffer.data is not None]
            assert size * width in sizes


def test_files_say_what_they_are(painter, ladder):
    for name in ("model.tflite", "encoder_int8.tflite"):
        told = metadata.read_metadata((ladder[0] / "litert" / name).read_bytes())
        assert told["name"] == "tiny_bilstm" and told["hash"] == painter.hash
        assert told["languages"] == ["en", "zh"]
        assert told["vocabulary"] == list(painter.vocabulary)
        assert told["tensors"]["noise"] == f"float32 (B, {NOISE_DIM}), N(0, 1)"
        assert told["fewest_tokens"] == painter.fewest_tokens
        assert set(told) >= {"license", "credit", "kgen"}


@pytest.mark.parametrize("precision", ["dynamic", "int8", None])
def test_the_runtime_draws_by_the_precision_that_is_asked_for(painter, ladder, precision):
    expected = painter.generate(CAPTIONS, seed=5).astype(float)
    drawn = RuntimePainter(ladder[0] / "litert", precision=precision).generate(CAPTIONS, seed=5)
    far = np.abs(drawn - expected)
    assert far.max() <= 1 if precision is None else far.max() > 1 and far.mean() < 8


def test_an_unknown_precision_is_told(painter, ladder, tmp_path):
    with pytest.raises(ValueError, match="Did you mean `int8`"):
        RuntimePainter(ladder[0] / "litert", precision="int9")
    with pytest.raises(ValueError, match="`precisions`.*Did you mean `int8`"):
        export(painter, tmp_path, ["litert"], precisions=["int9"])
    assert names_in(tmp_path) == []


# Refusals


def test_a_swapped_calibration_is_refused_and_the_others_stay(painter, tmp_path, monkeypatch):
    """Ranges of no noise to speak of, as another model's might be."""
    right = writing.Conversions._inputs

    def swapped(self, part, packed, captions, seed):
        given = right(self, part, packed, captions, seed)
        if seed != writing.SEED:
            return given
        weak = lambda rows: {n: 0.1 * a if n == "noise" else a for n, a in rows.items()}
        return {
            signature: [{n: a.astype(np.float32) if n == "noise" else a for n, a in weak(r).items()}
                        for r in of]
            for signature, of in given.items()
        }  # fmt: skip

    monkeypatch.setattr(writing.Conversions, "_inputs", swapped)
    told = r"litert_int8: calibration.*in 90%.*received: '\d+%'"
    with pytest.raises(proof.GateError, match=told):
        export(painter, tmp_path, ["litert"], precisions=["float32", "int8"])
    left = [path.name for path in (tmp_path / "litert").glob("*.tflite")]
    assert sorted(left) == ["encoder.tflite", "generator.tflite", "model.tflite"]
    proofs = json.loads((tmp_path / "proof.json").read_text())
    assert list(proofs) == ["litert", "litert_encoder", "litert_generator"]


@pytest.mark.slow
def test_a_recipe_that_holds_no_gate_is_followed_by_the_next(painter, tmp_path, monkeypatch):
    """The last convolution in float is nearer to the model."""
    psnrs = []

    prove = exporting.Prover.prove

    def watched(self, folder, rung, recipe=""):
        proven = prove(self, folder, rung, recipe)
        psnrs.append((recipe, proven[0].psnr_db))
        if len(psnrs) == 1:
            raise proof.GateError("not near enough")
        return proven

    monkeypatch.setattr(exporting.Prover, "prove", watched)
    proven = export(painter, tmp_path, ["litert"], precisions=["dynamic"])
    assert [recipe.endswith("last in float") for recipe, _ in psnrs] == [False, True]
    assert psnrs[1][1] > psnrs[0][1]
    assert proven[0].notes["quantised"] == psnrs[1][0]


# Packed pixels


def test_packed_kernels_by_hand():
    """A transposed convolution of a single pixel lays its kernel down, rows 0 to 3, from -1 on."""
    kernel = np.arange(16, dtype=np.float32).reshape(4, 4, 1, 1)
    made = packed.packed_transposed_kernel(kernel)
    assert made.shape == (3, 3, 1, 4)
    # The pixels (0, 0), (0, 1), (1, 0), (1, 1) of a place see its own input by taps 1 and 2.
    assert made[1, 1, 0].tolist() == [5, 6, 9, 10]
    # From the input above only the upper two pixels see something: tap 3 of the rows.
    assert made[0, 1, 0].tolist() == [13, 14, 0, 0]
    assert made[2, 2, 0].tolist() == [0, 0, 0, 0]  # tap 0, 0 is for the pixel (1, 1)
    assert made[2, 2, 0, 3] == kernel[0, 0]

    plain = np.arange(9, dtype=np.float32).reshape(3, 3, 1, 1)
    made = packed.packed_kernel(plain)
    assert made.shape == (3, 3, 4, 4)
    # Pixel (0, 0) of a place sees the pixels of the same place by the lower right of its kernel,
    assert made[1, 1, :, 0].tolist() == [4, 5, 7, 8]
    # and of the place above their lower rows by its first.
    assert made[0, 1, :, 0].tolist() == [0, 0, 1, 2]


def test_folded_modulation_by_hand():
    """W_s = 2, b_s = 0.5, W_t = 3, b_t = -1 at q = 1, h = 4: 4 (2 + 1.5) + 3 - 1 = 16."""
    given = np.full((1, 1, 1, 1), 4.0, "float32"), np.ones((1, 1), "float32")
    plain = Modulation()
    assert plain(*given).shape == (1, 1, 1, 1)
    plain.set_weights([np.array([[2.0, 3.0]]), np.array([0.5, -1.0])])
    made, weights = folded.FoldedModulation.of(plain)
    made.build((1, 1, 1, 1), (1, 1))
    made.set_weights(weights)
    assert weights[1].tolist() == [1.5, -1.0]
    assert float(made(*given)[0, 0, 0, 0]) == pytest.approx(16.0)


def test_folded_attention_by_hand():
    """h = (3, 1) is (1, -1) from its mean, of variance 1, so with ε = 3 (½, -½); times γ = (2, 4)
    and plus β = (1, 1) it is (2, -1), of which W_q = (1, 1) makes q = 1. Keys 0 and ln 3 weigh
    values 8 and 4 by ¼ and ¾: 5, which W_o = (1, -1) adds to h: (8, -4). The third is no word.
    """
    h = np.array([[[[3.0, 1.0]]]], "float32")
    words = np.array([[[0.0, 8.0], [np.log(3.0), 4.0], [50.0, 99.0]]], "float32")
    given = h, words, np.array([[1.0, 1.0, 0.0]], "float32")
    plain = WordAttention(num_heads=1, key_dim=1)
    plain(*given)
    plain.norm.epsilon = 3.0
    plain.set_weights([
        np.array(each) for each in (
            [2.0, 4.0], [1.0, 1.0], [[1.0], [1.0]], [[1.0], [0.0]], [[0.0], [1.0]], [[1.0, -1.0]],
        )
    ])  # fmt: skip
    made, weights = folded.FoldedAttention.of(plain)
    made.build(h.shape, words.shape, (1, 3))
    made.set_weights(weights)
    for attended in (made(*given), plain(*given)):
        np.testing.assert_allclose(attended, [[[[8.0, -4.0]]]], rtol=1e-6)


@pytest.mark.parametrize(
    "settings",
    [{}, {"pixel_size": 2}, {"pixel_shuffle": 2}, {"word_attention": False}],
)
def test_the_packed_generator_is_the_same_function(painter, settings):
    networks = painter.config.updated({"networks": settings}).networks
    made_of = build_generator(networks, painter.config.text)
    generator = np.random.default_rng(0)
    weights = made_of.get_weights()
    made_of.set_weights([w + 0.1 * generator.standard_normal(w.shape) for w in weights])
    made = packed.packed_generator(made_of)
    given = {
        name: generator.standard_normal((3, *tensor.shape[1:])).astype(np.float32)
        for name, tensor in made_of.input.items()
    }
    if "mask" in given:
        given["mask"] = (given["mask"] > 0).astype(np.float32)
        given["mask"][0] = 0  # a caption of no words
    expected = made_of(given, training=False).numpy()
    assert expected.std() > 0.1
    # Sums in another order, behind norms of random maps: a thousandth of what 8 bits round by.
    np.testing.assert_allclose(made(given, training=False), expected, rtol=0, atol=3e-5)


# LSTMs, written out


@pytest.mark.parametrize("name", ["lstm", "bilstm"])
@pytest.mark.parametrize("batch", [1, 3])
def test_written_out_lstms_give_the_same(name, batch):
    config = build_painter(name).config.text
    encoder = build_encoder(config, 50)
    generator = np.random.default_rng(1)
    # States far beyond 1, as trained models have them.
    encoder.set_weights([w + generator.standard_normal(w.shape) for w in encoder.get_weights()])
    token_ids = generator.integers(1, 50, (batch, LENGTH)).astype(np.int32)
    token_ids[0, 4:] = 0
    expected = encoder(token_ids, training=False)
    received = unrolled.with_fast_lstms(encoder)(tf.constant(token_ids))
    for key in expected:
        np.testing.assert_allclose(received[key], expected[key], rtol=0, atol=1e-4)


def test_encoders_without_lstms_are_left_alone():
    encoder = build_encoder(build_painter("bag").config.text, 50)
    assert unrolled.with_fast_lstms(encoder) is encoder


# Files


def test_a_file_read_and_written_is_the_same_and_smaller(ladder):
    content = (ladder[0] / "litert" / "model.tflite").read_bytes()
    again = conversion.serialized(conversion.parsed(content))
    assert conversion.serialized(conversion.parsed(again)) == again
    names = [conversion.operator_names(conversion.parsed(c)) for c in (content, again)]
    assert names[0] == names[1] and len(again) <= len(content)


def test_buffers_start_where_the_schema_wants_them(ladder):
    content = (ladder[0] / "litert" / "generator_int8.tflite").read_bytes()
    model = conversion.parsed(content)
    largest = max((b.data for b in model.buffers if b.data is not None), key=len)
    assert content.index(np.asarray(largest).tobytes()) % 16 == 0


def test_tensors_in_floats_say_nothing_of_quantisation(ladder):
    content = (ladder[0] / "litert" / "model_int8.tflite").read_bytes()
    model = conversion.parsed(content)
    told = [t.quantization for subgraph in model.subgraphs for t in subgraph.tensors]
    assert all(q is None or np.size(q.scale) for q in told)
    assert any(q is None for q in told) and any(q is not None for q in told)


def test_only_inputs_and_outputs_have_a_name(ladder):
    for path in (ladder[0] / "litert").glob("*.tflite"):
        for subgraph in conversion.parsed(path.read_bytes()).subgraphs:
            named = {i for i, tensor in enumerate(subgraph.tensors) if tensor.name is not None}
            assert named == {*subgraph.inputs, *subgraph.outputs}


def test_calibration_is_of_real_captions_and_ordinary_noise(painter):
    conversions = writing.Conversions(painter, made_up(painter))
    given = conversions._inputs("model", True, made_up(painter).calibration, writing.SEED)
    assert set(given) == set(BATCHES)
    assert len(given["serving_default"]) == 4 * len(given["serving_default_4"]) == 200
    noise = np.concatenate([row["noise"] for row in given["serving_default"]])
    assert abs(noise.mean()) < 0.1 and abs(noise.std() - 1) < 0.1
    assert given["serving_default"][0]["token_ids"].dtype == np.int32
