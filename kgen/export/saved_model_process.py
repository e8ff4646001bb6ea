"""Calls a SavedModel's signatures in a process that has TensorFlow and TF-Text and no kgen.

A program: `python -P saved_model_process.py SAVED_MODEL FOLDER`. `FOLDER/calls.json` lists calls,
`{"signature": name, "inputs": {name: {"values": …, "dtype": …, "shape": …}}}`. Of call n it leaves
`FOLDER/n.npy`, the output (of PNGs alone their pixels), and of a signature that draws
`FOLDER/n_i.png`, the `png_bytes` of picture i. The last line it prints are the versions it ran
with and what one caption took each time, as JSON.
"""

import json
import sys
import time
from pathlib import Path

ORDINARY = "Two red boats on a calm lake at dawn, with mountains behind them"
NUM_TIMED = 60


def main(saved_model: str, folder: Path) -> None:
    """Makes the calls of `folder`."""
    import numpy as np
    import tensorflow as tf
    import tensorflow_text

    signatures = tf.saved_model.load(saved_model).signatures
    for n, call in enumerate(json.loads((folder / "calls.json").read_text(encoding="utf-8"))):
        inputs = {
            name: tf.constant(given["values"], given["dtype"], given["shape"])
            for name, given in call["inputs"].items()
        }
        outputs = signatures[call["signature"]](**inputs)
        pngs = outputs.pop("png_bytes").numpy() if "png_bytes" in outputs else ()
        for i, png in enumerate(pngs):
            (folder / f"{n}_{i}.png").write_bytes(png)
        if outputs:
            (output,) = outputs.values()
            np.save(folder / f"{n}.npy", output.numpy())
        else:
            np.save(folder / f"{n}.npy", np.stack([tf.io.decode_png(png) for png in pngs]))
    took = []
    if "serving_default" in signatures:
        caption = tf.constant([ORDINARY])
        for _ in range(NUM_TIMED):
            start = time.perf_counter()
            signatures["serving_default"](captions=caption)
            took.append(1e3 * (time.perf_counter() - start))
    if any(name.partition(".")[0] == "kgen" for name in sys.modules):
        sys.exit("kgen was imported: this process proves nothing.")
    versions = {"tensorflow": tf.__version__, "tensorflow_text": tensorflow_text.__version__}
    print(json.dumps({"versions": versions, "milliseconds": took}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
