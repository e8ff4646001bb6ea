"""Configuration files and run folders: missing, cut off, of something else."""

import io
import json

import h5py
import numpy as np
from bad_inputs import contents as c
from bad_inputs.case import Command

OTHER = {"networks": {"image_size": 64, "width": 8}}


def _config(name, data):
    return Command(
        f"configuration: {name}",
        ("train", "--dry-run", "--config", "{tmp}/c.json"),
        c.files({"c.json": data if isinstance(data, (bytes, str)) else json.dumps(data)}),
    )


def _changed(name, change):
    """Changes a file of the run: bytes to bytes, None to remove it, a function of the path."""

    def make(tmp):
        path = tmp / "run" / name
        if change is None:
            path.unlink()
        elif change is c.folder or change is c.pipe:
            path.unlink()
            change(path)
        else:
            path.write_bytes(change(path.read_bytes()))

    return make


def _one_number_changed(data):
    """An HDF5 file in which one weight is another."""
    file = io.BytesIO(data)
    with h5py.File(file, "r+") as weights:
        arrays = []
        weights.visititems(lambda _, item: arrays.append(item) if hasattr(item, "dtype") else None)
        arrays[0][...] = arrays[0][...] + np.eye(1, arrays[0].size).reshape(arrays[0].shape)
    return file.getvalue()


def _generate(name, file, change):
    return Command(
        f"run to draw with: {name}",
        ("generate", "night", "--preset", "{run}", "--out", "{tmp}/o"),
        _changed(file, change),
    )


def _resume(name, file, change, *more):
    return Command(
        f"run to resume: {name}",
        ("train", "--out", "{run}", "--resume", *more),
        _changed(file, change),
    )


def _edited(**values):
    def change(data):
        config = json.loads(data)
        for key, value in values.items():
            group, name = key.split("__")
            config[group][name] = value
        return json.dumps(config).encode()

    return change


RUN_FOLDERS = [
    _config("empty file", ""),
    _config("not JSON", "width = 8"),
    _config("cut off", '{"networks": {"width": 8'),
    _config("comment", '{\n  // mine\n  "name": "x"\n}'),
    _config("not UTF-8", '{"name": "红"}'.encode("gbk")),
    _config("UTF-16", '{"name": "x"}'.encode("utf-16")),
    _config("a list", [1, 2]),
    _config("a number", 7),
    _config("null", "null"),
    _config("nested 100,000 deep", "[" * 100_000),
    _config("number of 5000 digits", '{"training": {"seed": ' + "9" * 5000 + "}}"),
    _config("number of 400 digits", '{"training": {"averaging": 1' + "0" * 400 + "}}"),
    _config("NaN", '{"training": {"averaging": NaN}}'),
    _config("unknown key", {"trainings": {}}),
    _config("unknown key inside", {"networks": {"layers": 8}}),
    _config("key with a line break", {"a\nb": 1}),
    _config("of another program", {"model_type": "gpt2", "n_layer": 12}),
    _config("group a list", {"training": [1]}),
    _config("group null", {"training": None}),
    _config("text for a number", {"training": {"seed": "7"}}),
    _config("out of range", {"networks": {"width": 0}}),
    _config("name a number", {"name": 7}),
    _config("unknown choice", {"text": {"encoder": "gru"}}),
    Command("configuration: a folder", ("train", "--dry-run", "--config", "{tmp}")),
    # drawing
    _generate("no config.json", "config.json", None),
    _generate("no vocabulary.txt", "vocabulary.txt", None),
    _generate("no weights", "model.weights.h5", None),
    _generate("weights are a folder", "model.weights.h5", c.folder),
    _generate("config.json empty", "config.json", lambda data: b""),
    _generate("config.json cut off", "config.json", c.cut),
    _generate("config.json a list", "config.json", lambda data: b"[]"),
    _generate("config.json of another program", "config.json", lambda _: b'{"model_type": "gpt2"}'),
    _generate("config.json of a wrong type", "config.json", _edited(training__seed="7")),
    _generate("config.json of other networks", "config.json", _edited(networks__width=8)),
    _generate("config.json of another size", "config.json", _edited(networks__image_size=64)),
    _generate("config.json of another encoder", "config.json", _edited(text__encoder="lstm")),
    _generate("vocabulary.txt empty", "vocabulary.txt", lambda data: b""),
    _generate("vocabulary.txt not UTF-8", "vocabulary.txt", lambda data: data + b"\xff\n"),
    _generate(
        "vocabulary.txt shuffled",
        "vocabulary.txt",
        lambda data: b"\n".join(sorted(data.split(b"\n"), reverse=True)),
    ),
    _generate(
        "vocabulary.txt with a token twice",
        "vocabulary.txt",
        lambda data: data + data.split(b"\n")[2] + b"\n",
    ),
    _generate("vocabulary.txt with a blank line", "vocabulary.txt", lambda data: data + b"\n"),
    _generate(
        "vocabulary.txt cut off",
        "vocabulary.txt",
        lambda data: b"\n".join(data.split(b"\n")[:6]) + b"\n",
    ),
    _generate("weights empty", "model.weights.h5", lambda data: b""),
    _generate("weights cut off", "model.weights.h5", c.cut),
    _generate("weights are text", "model.weights.h5", lambda data: b"weights"),
    _generate("weights garbled", "model.weights.h5", lambda data: c.garbled(data, 0.0, 600)),
    _generate("weights garbled inside", "model.weights.h5", _one_number_changed),
    # going on, and beginning anew
    Command("run to resume: without --resume", ("train", "--out", "{run}")),
    Command("run to resume: none there", ("train", "--out", "{tmp}/mistyped", "--resume")),
    Command("run to resume: another seed", ("train", "--out", "{run}", "--resume", "--seed", "9")),
    Command(
        "run to resume: another width",
        ("train", "--out", "{run}", "--resume", "--set", "networks.width=8"),
    ),
    Command(
        "run to resume: another preset",
        ("train", "--out", "{run}", "--resume", "--preset", "scenes_64"),
    ),
    _resume("config.json empty", "config.json", lambda data: b""),
    _resume("config.json cut off", "config.json", c.cut),
    _resume("config.json of another program", "config.json", lambda _: b'{"model_type": "gpt2"}'),
    _resume("config.json edited", "config.json", _edited(networks__width=8)),
    _resume("vocabulary.txt empty", "vocabulary.txt", lambda data: b""),
    _resume("vocabulary.txt not UTF-8", "vocabulary.txt", lambda data: b"\xff"),
    _resume("vocabulary.txt longer", "vocabulary.txt", lambda data: data + b"zebra\n"),
    _resume("checkpoint cut off", "checkpoint.weights.h5", c.cut),
    _resume("checkpoint garbled", "checkpoint.weights.h5", lambda data: c.garbled(data, 0.5, 600)),
    Command(
        "publish: no figures",
        ("publish", "{run}", "--out", "{tmp}/p", "--license", "x"),
        _changed("metrics.jsonl", None),
    ),
    Command(
        "publish: figures empty",
        ("publish", "{run}", "--out", "{tmp}/p", "--license", "x"),
        _changed("metrics.jsonl", lambda data: b""),
    ),
    Command(
        "publish: figures cut off",
        ("publish", "{run}", "--out", "{tmp}/p", "--license", "x"),
        _changed("metrics.jsonl", lambda data: data[:-9]),
    ),
    Command(
        "publish: figures of another program",
        ("publish", "{run}", "--out", "{tmp}/p", "--license", "x"),
        _changed("metrics.jsonl", lambda data: b"[1]\n"),
    ),
]
