"""Writes captioned pictures in every format that kgen reads, for the tests."""

import csv
import io
import json
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from kgen.data.packing import pack


@dataclass(frozen=True)
class Picture:
    """A row: the picture's name and file, its captions (by column), its other columns."""

    name: str
    data: bytes
    captions: dict[str, str]
    others: dict

    @property
    def columns(self):
        return {**self.captions, **self.others}

    @property
    def lines(self):
        """The captions that are not empty."""
        return [caption for caption in self.captions.values() if caption]


def shared_set(path, num_train=None, num_test=None):
    """{split: pictures} of a zip in shared/data, by nothing of kgen's, sorted by name."""
    sets = {}
    with zipfile.ZipFile(path) as file:
        for split, num in (("train", num_train), ("test", num_test)):
            lines = file.read(f"{split}/metadata.jsonl").decode().split("\n")
            rows = sorted((json.loads(x) for x in lines if x), key=lambda row: row["file_name"])
            sets[split] = []
            for row in rows[:num]:
                name = row.pop("file_name")
                captions = {c: row.pop(c) for c in ("text", "text_zh") if c in row}
                data = file.read(f"{split}/{name}")
                sets[split].append(Picture(name, data, captions, row))
    return sets


def write_files(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def _pictures(sets, places):
    return {f"{places[s]}/{p.name}": p.data for s, pictures in sets.items() for p in pictures}


def _in_place(sets):
    return _pictures(sets, {split: split for split in sets})


def jsonl_zip(folder, sets):
    tables = {
        f"{split}/metadata.jsonl": "".join(
            json.dumps({"file_name": p.name, **p.columns}, ensure_ascii=False) + "\n"
            for p in pictures
        )
        for split, pictures in sets.items()
    }
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "set.zip", "w") as file:
        for name, content in {**_in_place(sets), **tables}.items():
            file.writestr(name, content)
    return folder / "set.zip"


def csv_folder(folder, sets):
    """Cells hold text alone: columns of numbers and lists stay out."""
    files = _in_place(sets)
    for split, pictures in sets.items():
        rows = [{"file_name": p.name, **p.columns} for p in pictures]
        names = [name for name, value in rows[0].items() if isinstance(value, str)]
        text = io.StringIO()
        writer = csv.DictWriter(text, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        files[f"{split}/metadata.csv"] = text.getvalue()
    return write_files(folder, files)


def csv_zip(folder, sets):
    written = csv_folder(folder / "files", sets)
    with zipfile.ZipFile(folder / "set.zip", "w") as file:
        for path in sorted(written.rglob("*.*")):
            file.write(path, path.relative_to(written))
    return folder / "set.zip"


def txt_folder(folder, sets):
    texts = {
        f"{split}/{Path(p.name).with_suffix('.txt')}": "\n".join(p.lines) + "\n"
        for split, pictures in sets.items()
        for p in pictures
    }
    return write_files(folder, {**_in_place(sets), **texts})


def coco(folder, sets):
    """As COCO itself: annotations/captions_train2017.json, train2017/ and so on."""
    places = {"train": "train2017", "test": "val2017"}
    files = _pictures(sets, places)
    for split, pictures in sets.items():
        images = [
            {"id": 100 + i, "file_name": p.name, "width": 1, **p.others}
            for i, p in enumerate(pictures)
        ]
        captions = [(100 + i, text) for i, p in enumerate(pictures) for text in p.lines]
        content = {
            "info": {},
            "images": images,
            "annotations": [
                {"id": k, "image_id": image, "caption": text}
                for k, (image, text) in enumerate(captions)
            ],
        }
        files[f"annotations/captions_{places[split]}.json"] = json.dumps(content)
    return write_files(folder, files)


def tar_member(tar, name, data, **changes):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in changes.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))


def _shards(folder, sets, members):
    folder.mkdir(parents=True)
    for split, pictures in sets.items():
        third = -(-len(pictures) // 3)
        for k in range(3):
            with tarfile.open(folder / f"{split}-{k:03d}.tar", "w") as tar:
                for p in pictures[k * third : (k + 1) * third]:
                    for suffix, data in members(p).items():
                        tar_member(tar, Path(p.name).stem + suffix, data)
    return folder


def tar_json(folder, sets):
    def members(p):
        columns = json.dumps(p.columns, ensure_ascii=False).encode()
        return {Path(p.name).suffix: p.data, ".json": columns}

    return _shards(folder, sets, members)


def tar_txt(folder, sets):
    def members(p):
        return {".txt": "\n".join(p.lines).encode(), Path(p.name).suffix: p.data}

    return _shards(folder, sets, members)


def tfrecords(folder, sets):
    zipped = jsonl_zip(folder / "zip", sets)
    pack(zipped, folder / "packed", shard_mb=0.05)
    return folder / "packed"


def parquet_metadata(folder, sets):
    import pyarrow
    import pyarrow.parquet

    write_files(folder, _in_place(sets))
    for split, pictures in sets.items():
        table = pyarrow.Table.from_pylist([{"file_name": p.name, **p.columns} for p in pictures])
        pyarrow.parquet.write_table(table, folder / split / "metadata.parquet")
    return folder


def parquet_pictures(folder, sets):
    """As Hugging Face datasets: data/train-00000-of-00001.parquet with {bytes, path}."""
    import pyarrow
    import pyarrow.parquet

    (folder / "data").mkdir(parents=True)
    for split, pictures in sets.items():
        rows = [{"image": {"bytes": p.data, "path": p.name}, **p.columns} for p in pictures]
        file = folder / "data" / f"{split}-00000-of-00001.parquet"
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file, row_group_size=7)
    return folder


BY_COLUMNS = (csv_folder, csv_zip, tar_json, tfrecords, parquet_metadata, parquet_pictures)
BY_LINES = (txt_folder, coco, tar_txt)
