"""The bytes of files, good and bad, that the cases are made of."""

import csv
import io
import json
import os
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image

FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "bmp": "BMP", "gif": "GIF"}
GOOD = [
    {"file_name": "red.png", "text": "a red square"},
    {"file_name": "绿.png", "text": "一个绿色方块"},
]


def picture(format: str = "PNG", colour=(255, 0, 0), size=(24, 24)) -> bytes:
    """A picture whose pixels differ, so that its file has a middle to be damaged."""
    noise = random.Random(0).randbytes(3 * size[0] * size[1])
    image = Image.frombytes("RGB", size, noise)
    image = Image.blend(image, Image.new("RGB", size, colour), 0.5)
    file = io.BytesIO()
    image.save(file, format=format)
    return file.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that says it is of this size, with next to no data."""

    def chunk(kind, data):
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def gif_of_size(width: int, height: int) -> bytes:
    """A GIF that says it is of this size."""
    return b"GIF89a" + struct.pack("<HH", width, height) + picture("GIF")[10:]


def garbled(data: bytes, place: float = 0.6, num: int = 8) -> bytes:
    """The data with `num` bytes in it turned round."""
    first = int(place * len(data))
    return data[:first] + bytes(255 - b for b in data[first : first + num]) + data[first + num :]


def cut(data: bytes, share: float = 0.5) -> bytes:
    """The first part of the data."""
    return data[: int(share * len(data))]


def jsonl(rows: list) -> bytes:
    """A line for each row; bytes are a line as they are."""
    return b"".join(
        (row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode()) + b"\n"
        for row in rows
    )


def csv_table(rows: list) -> bytes:
    """A table of dictionaries with the same keys; bytes are a line as they are."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(row for row in rows if isinstance(row, dict))
    raw = b"".join(row + b"\n" for row in rows if isinstance(row, bytes))
    return file.getvalue().encode() + raw


def pictures() -> dict[str, bytes]:
    """The files of `GOOD`."""
    return {row["file_name"]: picture() for row in GOOD}


def texts() -> dict[str, str]:
    """The .txt files of `GOOD`."""
    return {row["file_name"].replace(".png", ".txt"): row["text"] for row in GOOD}


def write(folder: Path, files: dict) -> Path:
    """Writes files by name; a function as a file's content is called with its path."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def files(contents: dict) -> Callable[[Path], None]:
    """Makes these files in the case's folder."""
    return lambda tmp: write(tmp, contents)


def in_folder(contents: dict, name: str = "data") -> Callable[[Path], None]:
    """Makes a folder of these files."""
    return lambda tmp: write(tmp / name, contents)


def metadata(*rows, **more) -> Callable[[Path], None]:
    """Makes a folder with two good rows in metadata.jsonl, these, and more files by name."""
    more = {name.replace("__", "."): content for name, content in more.items()}
    lines = jsonl([*GOOD, *rows])
    return lambda tmp: write(tmp / "data", {"metadata.jsonl": lines, **pictures(), **more})


def table(*rows, **more) -> Callable[[Path], None]:
    """Makes a folder with two good rows in metadata.csv, these, and more files by name."""
    more = {name.replace("__", "."): content for name, content in more.items()}
    lines = csv_table([*GOOD, *rows])
    return lambda tmp: write(tmp / "data", {"metadata.csv": lines, **pictures(), **more})


def captioned(contents: dict) -> Callable[[Path], None]:
    """Makes a folder of two pictures with their .txt, and these files."""
    return lambda tmp: write(tmp / "data", {**pictures(), **texts(), **contents})


def zip_bytes(contents: dict, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method, compresslevel=1) as zipped:
        for name, content in contents.items():
            zipped.writestr(name, content)
    return file.getvalue()


def good_zip(*rows, more: dict | None = None, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with two good rows, these, and more files."""
    contents = {"metadata.jsonl": jsonl([*GOOD, *rows]), **pictures(), **(more or {})}
    return zip_bytes(contents, method)


def encrypted(zipped: bytes, names: tuple[str, ...]) -> bytes:
    """A zip whose entries of these names say that they need a password."""
    changed = bytearray(zipped)
    for signature, flags, length, start in ((b"PK\3\4", 6, 26, 30), (b"PK\1\2", 8, 28, 46)):
        place = zipped.find(signature)
        while place >= 0:
            size = int.from_bytes(zipped[place + length : place + length + 2], "little")
            name = zipped[place + start : place + start + size].decode()
            if name in names:
                changed[place + flags] |= 1
            place = zipped.find(signature, place + 4)
    return bytes(changed)


def with_method(zipped: bytes, name: str, method: int) -> bytes:
    """A zip whose entry of this name says that it is compressed by another method."""
    changed = bytearray(zipped)
    for signature, place_of_method, start in ((b"PK\3\4", 8, 30), (b"PK\1\2", 10, 46)):
        place = zipped.find(signature)
        while place >= 0:
            if zipped[place + start :].startswith(name.encode()):
                changed[place + place_of_method] = method
            place = zipped.find(signature, place + 4)
    return bytes(changed)


def tar_bytes(members: list) -> bytes:
    """A tar of (name, data) or of ready `tarfile.TarInfo`."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
                continue
            name, data = member
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return file.getvalue()


def tar_entry(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """A member of a tar that is no file."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def good_members() -> list:
    """The members of a tar with the two good samples."""
    return [
        member
        for row in GOOD
        for member in (
            (row["file_name"], picture()),
            (row["file_name"].replace(".png", ".txt"), row["text"].encode()),
        )
    ]


def coco(images: list, annotations: list, **more) -> Callable[[Path], None]:
    """Makes a folder with COCO's captions.json, two good images in it, and these."""
    content = {
        "images": [{"id": i, "file_name": row["file_name"]} for i, row in enumerate(GOOD)] + images,
        "annotations": [
            {"id": i, "image_id": i, "caption": row["text"]} for i, row in enumerate(GOOD)
        ]
        + annotations,
    }
    text = json.dumps(content, ensure_ascii=False)
    return lambda tmp: write(tmp / "data", {"captions.json": text, **pictures(), **more})


def records(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Makes a TFRecord shard of the two good rows, changed."""

    def make(tmp: Path) -> None:
        from kgen.data.packing import pack

        write(tmp, {"set.zip": good_zip()})
        shard = pack(tmp / "set.zip", tmp / "data").files[0]
        shard.write_bytes(change(shard.read_bytes()))

    return make


def record(data: bytes) -> bytes:
    """A TFRecord, its checksums right."""
    from kgen.data.tfrecords import masked_crc32c

    head = struct.pack("<Q", len(data))
    return (
        head
        + struct.pack("<I", masked_crc32c(head))
        + data
        + struct.pack("<I", masked_crc32c(data))
    )


def link_to(target: str) -> Callable[[Path], None]:
    """Makes a symbolic link."""
    return lambda path: path.symlink_to(target)


def pipe(path: Path) -> None:
    """Makes a FIFO, of which a careless reader waits for ever."""
    os.mkfifo(path)


def folder(path: Path) -> None:
    """Makes a folder where a file should be."""
    path.mkdir(parents=True)


def large(mib: int) -> Callable[[Path], None]:
    """Makes a file of that size that takes no room on the disk."""

    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(mib * 2**20)

    return make
