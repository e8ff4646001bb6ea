"""Options of every command: wrong types, out of range, unknown, missing, contradictory."""

import os

from bad_inputs import contents as c
from bad_inputs.case import Command


def _set(name, *settings):
    more = (part for setting in settings for part in ("--set", setting))
    return Command(f"--set: {name}", ("train", "--dry-run", *more))


def _post(name, text):
    return Command(f"--post: {name}", ("generate", "night", "--preset", "{run}", "--post", text))


OPTIONS = [
    Command("no such command", ("generat", "x")),
    Command("no such option", ("generate", "x", "--sed", "7")),
    Command("option without value", ("generate", "x", "--seed")),
    # generate
    Command("generate: no caption", ("generate",)),
    Command("generate: out empty", ("generate", "日落", "--out", "")),
    Command("generate: seed negative", ("generate", "x", "--seed", "-1")),
    Command("generate: seed no number", ("generate", "x", "--seed", "one")),
    Command("generate: seed a fraction", ("generate", "x", "--seed", "1.5")),
    Command("generate: seed of 5000 digits", ("generate", "x", "--seed", "9" * 5000)),
    Command("generate: count 0", ("generate", "x", "--count", "0")),
    Command("generate: count a trillion", ("generate", "x", "--count", "1000000000000")),
    Command("generate: captions file missing", ("generate", "--captions", "{tmp}/gone.txt")),
    Command("generate: captions file a folder", ("generate", "--captions", "{tmp}")),
    Command(
        "generate: captions file empty",
        ("generate", "--captions", "{tmp}/c.txt"),
        c.files({"c.txt": "\ufeff\n \n"}),
    ),
    Command(
        "generate: captions file in GBK",
        ("generate", "--captions", "{tmp}/c.txt"),
        c.files({"c.txt": "红色的猫".encode("gbk")}),
    ),
    Command(
        "generate: captions file in UTF-16",
        ("generate", "--captions", "{tmp}/c.txt"),
        c.files({"c.txt": "红色的猫".encode("utf-16")}),
    ),
    Command(
        "generate: out a file", ("generate", "x", "--out", "{tmp}/c.txt"), c.files({"c.txt": "x"})
    ),
    Command(
        "generate: out in a file",
        ("generate", "night", "--preset", "{run}", "--out", "{tmp}/c.txt/o"),
        c.files({"c.txt": "x"}),
    ),
    Command(
        "generate: out cannot be made",
        ("generate", "night", "--preset", "{run}", "--out", "/proc/no/pictures"),
    ),
    Command(
        "generate: out has a name too long",
        ("generate", "night", "--preset", "{run}", "--out", "{tmp}/" + "x" * 300),
    ),
    # presets
    Command("preset: unknown", ("generate", "x", "--preset", "cats")),
    Command("preset: typo", ("generate", "x", "--preset", "scene_64")),
    Command("preset: in capitals", ("generate", "x", "--preset", "SCENES_64")),
    Command("preset: not trained", ("generate", "x", "--preset", "pictures_64")),
    Command(
        "preset: a file", ("generate", "x", "--preset", "{tmp}/c.txt"), c.files({"c.txt": "x"})
    ),
    Command("preset: an empty folder", ("generate", "x", "--preset", "{tmp}")),
    Command("preset: an empty name", ("generate", "x", "--preset", "")),
    Command("preset: with a line break", ("generate", "x", "--preset", "a\nb")),
    Command("preset: no UTF-8", ("generate", "x", "--preset", os.fsdecode(b"\xff\xfe"))),
    Command("preset to train from: typo", ("train", "--dry-run", "--preset", "scene_64")),
    Command("preset to train from: empty", ("train", "--dry-run", "--preset", "")),
    Command("export: model unknown", ("export", "scens_64", "--out", "{tmp}/o")),
    Command("evaluate: model unknown", ("evaluate", "scens_64")),
    # post-processing
    _post("unknown", "denoize"),
    _post("unknown among known", "denoise,blur=2"),
    _post("out of range", "denoise=9"),
    _post("negative", "contrast=-1"),
    _post("no number", "colour=strong"),
    _post("NaN", "sharpen=nan"),
    _post("infinite", "sharpen=inf"),
    _post("empty strength", "denoise="),
    _post("empty name", "denoise,,sharpen"),
    _post("a comma", ","),
    _post("upscale by 3", "upscale=3"),
    _post("upscale by 16", "upscale=4,upscale=4"),
    _post("Chinese", "降噪"),
    # train
    Command("train: no out", ("train",)),
    Command("train: out a file", ("train", "--out", "{tmp}/f"), c.files({"f": "x"})),
    Command("train: out empty", ("train", "--out", "")),
    Command("train: steps 0", ("train", "--out", "{tmp}/o", "--steps", "0")),
    Command("train: steps beyond counting", ("train", "--out", "{tmp}/o", "--steps", "9" * 30)),
    Command("train: minutes 0", ("train", "--out", "{tmp}/o", "--minutes", "0")),
    Command("train: minutes negative", ("train", "--out", "{tmp}/o", "--minutes", "-5")),
    Command("train: minutes NaN", ("train", "--out", "{tmp}/o", "--minutes", "nan")),
    Command("train: seed too large", ("train", "--dry-run", "--seed", "9999999999")),
    Command("train: precision unknown", ("train", "--dry-run", "--precision", "float8")),
    Command("train: config missing", ("train", "--dry-run", "--config", "{tmp}/gone.json")),
    Command("train: word vectors missing", ("train", "--dry-run", "--word-vectors", "{tmp}/gone")),
    Command("train: two sets", ("train", "a", "b", "--out", "{tmp}/o")),
    _set("no value", "training.seed"),
    _set("empty", ""),
    _set("no key", "=7"),
    _set("unknown group", "trainig.seed=7"),
    _set("unknown key", "networks.widht=8"),
    _set("key without group", "seed=7"),
    _set("key too deep", "training.seed.x=7"),
    _set("group itself", "training=7"),
    _set("group itself null", "text=null"),
    _set("text for a number", "networks.width=wide"),
    _set("fraction for a whole number", "training.steps=1.5"),
    _set("true for a number", "training.steps=true"),
    _set("number for true", "networks.word_attention=1"),
    _set("number for text", "data.path=7"),
    _set("null", "training.seed=null"),
    _set("list", "networks.width=[8]"),
    _set("NaN", "training.averaging=NaN"),
    _set("infinite", "training.generator_rate=Infinity"),
    _set("number of 400 digits", "training.generator_rate=1" + "0" * 400),
    _set("number of 5000 digits", "training.seed=" + "9" * 5000),
    _set("nested 100,000 deep", "training.seed=" + "[" * 100_000),
    _set("key nested 3000 deep", ".".join("a" * 3000) + "=7"),
    _set("size no power of two", "networks.image_size=100"),
    _set("size too large", "networks.image_size=1024"),
    _set("batch of one", "training.batch_size=1"),
    _set("batch too large", "training.batch_size=1000000"),
    _set("rate above 1", "training.generator_rate=2"),
    _set("dimension no multiple of 4", "text.caption_dim=30"),
    _set("caption length 0", "text.caption_length=0"),
    _set("encoder unknown", "text.encoder=lsmt"),
    _set("segmentation unknown", "text.segmentation=jieba"),
    _set("augmentation unknown", "training.augmentations=flip,rotate"),
    _set("fit unknown", "data.fit=stretch"),
    _set("no scenes", "data.num_scenes=0"),
    _set("scenes beyond any memory", "data.num_scenes=1000000000000"),
    _set("share above 1", "data.max_bad_share=1.5"),
    # data check and pack, export, evaluate, publish
    Command("data: no command", ("data", "chek", "x")),
    Command("data check: no set", ("data", "check")),
    Command("data check: sample 0", ("data", "check", "{tmp}", "--sample", "0")),
    Command("data check: page is a folder", ("data", "check", "{tmp}", "--html", "{tmp}")),
    Command("data pack: no out", ("data", "pack", "{tmp}")),
    Command("export: no out", ("export", "{run}")),
    Command("export: unknown format", ("export", "{run}", "--out", "{tmp}/o", "--formats", "pb")),
    Command(
        "export: unknown precision",
        ("export", "{run}", "--out", "{tmp}/o", "--precisions", "float32,int9"),
    ),
    Command(
        "export: format typo",
        ("export", "{run}", "--out", "{tmp}/o", "--formats", "litert,saved_modle"),
    ),
    Command("export: no format", ("export", "{run}", "--out", "{tmp}/o", "--formats", "")),
    Command("export: out a file", ("export", "{run}", "--out", "{tmp}/f"), c.files({"f": "x"})),
    Command("export: bad post", ("export", "{run}", "--out", "{tmp}/o", "--post", "blur")),
    Command("compress: no target", ("compress", "{run}", "--out", "{tmp}/o")),
    Command("compress: none kept", ("compress", "{run}", "--out", "{tmp}/o", "--keep", "0")),
    Command(
        "compress: of a preset whose pictures are not named",
        ("compress", "avatars_64", "--out", "{tmp}/o", "--keep", "0.5"),
    ),
    Command(
        "compress: minutes nan",
        ("compress", "{run}", "--out", "{tmp}/o", "--keep", "0.5", "--minutes", "nan"),
    ),
    Command("compress: all kept", ("compress", "{run}", "--out", "{tmp}/o", "--keep", "1")),
    Command("compress: too little", ("compress", "{run}", "--out", "{tmp}/o", "--keep", "0.1")),
    Command(
        "compress: two targets",
        ("compress", "{run}", "--out", "{tmp}/o", "--keep", "0.5", "--target-ms", "1"),
    ),
    Command(
        "compress: other noise",
        ("compress", "{run}", "--out", "{tmp}/o", "--keep", "0.5", "--set", "networks.noise_dim=5"),
    ),
    Command(
        "compress: pixel weight",
        ("compress", "{run}", "--keep", "0.5", "--dry-run", "--set", "training.pixel_weight=-1"),
    ),
    Command("evaluate: num 0", ("evaluate", "{run}", "--num", "0")),
    Command("evaluate: num a trillion", ("evaluate", "{run}", "--num", "1000000000000")),
    Command("evaluate: out a file", ("evaluate", "{run}", "--out", "{tmp}/f"), c.files({"f": "x"})),
    Command("evaluate: unknown features", ("evaluate", "{run}", "--features", "inceptoin")),
    Command("evaluate: seed too large", ("evaluate", "{run}", "--seed", "99999999999")),
    Command("evaluate: no data", ("evaluate", "{run}", "")),
    Command("publish: no licence", ("publish", "{run}", "--out", "{tmp}/o")),
    Command(
        "publish: run not there", ("publish", "{tmp}/gone", "--out", "{tmp}/o", "--license", "x")
    ),
    Command(
        "publish: over a folder of other things",
        ("publish", "{run}", "--out", "{tmp}/mine", "--license", "x"),
        c.files({"mine/thesis.txt": "years of work"}),
    ),
    Command(
        "publish: over the run itself", ("publish", "{run}", "--out", "{run}", "--license", "x")
    ),
]
