"""LiteRT files run in their runtime against the model that they were made from."""

from pathlib import Path

import numpy as np

from kgen.export import proof
from kgen.export.captions import FIXED, Captions, proof_captions
from kgen.export.litert.graph import BATCHES
from kgen.export.litert.rungs import Rung
from kgen.export.litert.running import THREADS, Running, builtin_operators_of, versions
from kgen.export.rounding import most_difference
from kgen.noise import sample_noise
from kgen.pictures import to_pixels
from kgen.pipeline import TextToImage

SEED = 0
ORDINARY = 4  # of the fixed captions, a sentence


class Prover:
    """Compares a model's files with it, all on the same captions and noise.

    Args:
        painter: The model.
        captions: What to compare with.
        place: Where the files will be, relative to the export's folder.
    """

    def __init__(self, painter: TextToImage, captions: Captions, place: str):
        self._painter, self._captions, self._place = painter, captions, place
        self._said = proof_captions(captions)
        whole = len(self._said) // max(BATCHES.values()) * max(BATCHES.values())
        self._said = self._said[:whole]
        self._token_ids = painter.tokenizer(self._said).numpy()
        self._noise = sample_noise(len(self._said), painter.config.networks.noise_dim, SEED)
        self._expected = painter.generate_images(self._token_ids, self._noise).numpy()
        self._text = {
            name: tensor.numpy()
            for name, tensor in painter.encoder(self._token_ids, training=False).items()
            if name in painter.generator.input
        }

    def prove(self, folder: Path, rung: Rung, recipe: str = "") -> list[proof.Proof]:
        """Runs a rung's files, the model in one and in two, and compares their pictures.

        Args:
            folder: Where the files are now.
            rung: Which.
            recipe: What was done to its weights, for the reader.

        Returns:
            A proof for each file.

        Raises:
            GateError: A file has operators that are not built in, other inputs, or draws
                something else.
        """
        whole = [self._file(folder, rung, "model")]
        return self._compare(rung, recipe, whole, self._drawn_by_one(*whole)) + self._parts(
            folder, rung, recipe
        )

    def _parts(self, folder, rung, recipe):
        both = [self._file(folder, rung, part) for part in ("encoder", "generator")]
        return self._compare(rung, recipe, both, self._drawn_by_two(*both))

    def _drawn_by_one(self, whole):
        given = {"token_ids": self._token_ids, "noise": self._noise}
        return [whole.run(signature, given)["image"] for signature in BATCHES]

    def _drawn_by_two(self, encoder, generator):
        images = []
        for signature in BATCHES:
            text = encoder.run(signature, {"token_ids": self._token_ids})
            images.append(generator.run(signature, {"noise": self._noise, **text})["image"])
        return images

    def _file(self, folder, rung, part):
        of_part = {
            "model": ({"token_ids": self._token_ids, "noise": self._noise}, self._image),
            "encoder": ({"token_ids": self._token_ids}, self._text),
            "generator": ({"noise": self._noise, **self._text}, self._image),
        }
        return _File(folder / rung.file(part), _artefact(rung, part), *of_part[part])

    @property
    def _image(self):
        return {"image": self._expected}

    def _compare(self, rung, recipe, files, images):
        received = np.concatenate(images)  # of a batch of 1, then of 4
        notes = {"quantised": recipe} if recipe else {}
        notes |= self._obedience(rung, files[-1].artefact, images[0])
        return [
            proof.compare(
                self._painter,
                np.concatenate([self._expected] * len(images)),
                received,
                artefact=file.artefact,
                place=f"{self._place}/{file.path.name}",
                written=file.path,
                runtime="ai_edge_litert",
                operators=file.operators,
                captions=self._captions.kind,
                unit="of [-1, 1]",
                span=2.0,
                limit=self._limit(rung),
                least_psnr_db=rung.least_psnr_db,
                versions=versions(),
                latency_ms=file.latency(),
                notes={
                    "taken by XNNPACK": file.running.taken_by_xnnpack(),
                    **notes,
                    **_run_with(file, files),
                },
            )
            for file in files
        ]

    def _limit(self, rung):
        if rung.most_difference is None:
            return None
        return most_difference(
            self._painter, self._token_ids, self._noise, self._expected, rung.most_difference
        )

    def _obedience(self, rung, artefact, images):
        """How much less or more pictures match their captions, by the model's own matcher."""
        matcher = self._painter.matcher
        if rung.most_match_points is None or matcher is None or self._painter.post:
            return {}
        real = slice(len(FIXED), None)
        of_both = [
            100 * float(matcher.scores(to_pixels(drawn[real]), self._said[real]).mean())
            for drawn in (self._expected, images)
        ]
        apart = abs(of_both[0] - of_both[1])
        expected = f"within {rung.most_match_points:g} point of {of_both[0]:.1f}"
        near = apart <= rung.most_match_points
        proof.gate(near, artefact, "match with the captions", expected, f"{of_both[1]:.1f}")
        return {
            "match with the captions": f"{of_both[1]:.2f}, the model's {of_both[0]:.2f}, of 100; "
            f"gate: within {rung.most_match_points:g}"
        }


class _File:
    """A file, checked and ready to run."""

    def __init__(self, path, artefact, inputs, outputs):
        self.path, self.artefact, self._inputs = path, artefact, inputs
        self._outputs = outputs
        self.operators = builtin_operators_of(path, artefact)
        self.running = self._started(THREADS[-1])

    def run(self, signature, inputs):
        return self.running.rows(signature, BATCHES[signature], **inputs)

    def latency(self):
        """Of one picture, by threads."""
        one = {name: rows[ORDINARY][None] for name, rows in self._inputs.items()}
        took = {}
        for num in THREADS:
            running = self._started(num)
            took[_threads(num)] = proof.latency(lambda: running("serving_default", **one))  # noqa: B023
        return took

    def _started(self, num_threads):
        running = Running(self.path, self.artefact, num_threads)
        for signature, batch in BATCHES.items():
            running.check(signature, _shapes(self._inputs, batch), _shapes(self._outputs, batch))
        return running


def _run_with(file, files):
    others = [other.path.name for other in files if other is not file]
    return {"run with": ", ".join(others)} if others else {}


def _artefact(rung, part):
    of_part = "litert" if part == "model" else f"litert_{part}"
    return of_part if rung.name == "float32" else f"{of_part}_{rung.name}"


def _threads(num):
    return "1 thread" if num == 1 else f"{num} threads"


def _shapes(rows, batch):
    return {name: (batch, *given.shape[1:], given.dtype.name) for name, given in rows.items()}
