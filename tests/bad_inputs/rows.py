"""Sets in which some rows are bad: each is named with its reason, and the others are read."""

import json
import tarfile
import zipfile

from bad_inputs import contents as c
from bad_inputs.case import Rows


def _row(name="broken.png", text="bad", **more):
    return {"file_name": name, "text": text, **more}


def _bad_picture(data, name="broken.png"):
    """A third row, whose picture is this."""
    lines = c.jsonl([*c.GOOD, _row(name)])
    return c.in_folder({"metadata.jsonl": lines, **c.pictures(), name: data})


def _third(line, **more):
    """A third line that is bad though its picture is there."""
    return c.metadata(line, broken__png=c.picture(), **more)


def _nested(depth):
    return b'{"file_name": "broken.png", "text": ' + b"[" * depth + b"]" * depth + b"}"


ROWS = [
    # what metadata.jsonl says of the picture's file
    Rows("jsonl: missing picture", c.metadata(_row("gone.png"))),
    Rows("jsonl: missing picture, Chinese name", c.metadata(_row("没有.png"))),
    Rows("jsonl: wrong case of the name", c.metadata(_row("RED.PNG"))),
    Rows("jsonl: no file_name", _third({"text": "bad"})),
    Rows("jsonl: file_name misspelled", _third({"filename": "broken.png", "text": "bad"})),
    Rows("jsonl: file_name null", _third(_row(None))),
    Rows("jsonl: file_name a number", _third(_row(7))),
    Rows("jsonl: file_name a list", _third(_row(["broken.png"]))),
    Rows("jsonl: file_name empty", _third(_row(""))),
    Rows("jsonl: file_name a dot", _third(_row("."))),
    Rows("jsonl: file_name absolute", c.metadata(_row("/etc/passwd"))),
    Rows("jsonl: file_name of Windows", c.metadata(_row("C:\\pictures\\broken.png"))),
    Rows("jsonl: file_name climbs out", c.metadata(_row("../outside.png"))),
    Rows("jsonl: file_name climbs out by backslashes", c.metadata(_row("sub\\..\\..\\x.png"))),
    Rows("jsonl: file_name hidden", c.metadata(_row(".hidden.png"))),
    Rows("jsonl: file_name with NUL", c.metadata(_row("bad\0.png"))),
    Rows("jsonl: file_name with a line break", c.metadata(_row("two\nlines.png"))),
    Rows("jsonl: file_name with terminal codes", c.metadata(_row("\x1b[2J\x1b]0;x\x07.png"))),
    Rows("jsonl: file_name of 10,000 characters", c.metadata(_row("长" * 10_000 + ".png"))),
    Rows(
        "jsonl: file_name with a lone surrogate",
        _third(b'{"file_name": "\\ud800.png", "text": "bad"}'),
    ),
    Rows("jsonl: file_name a folder", c.metadata(_row("sub"), **{"sub/x.txt": "x"})),
    # lines that are no rows
    Rows("jsonl: line cut off", _third(b'{"file_name": "broken.png", "text": "ba')),
    Rows("jsonl: single quotes", _third(b"{'file_name': 'broken.png', 'text': 'bad'}")),
    Rows("jsonl: two objects in a line", _third(b'{"file_name": "broken.png"} {"text": "bad"}')),
    Rows("jsonl: line is a list", _third(b'["broken.png", "bad"]')),
    Rows("jsonl: line is a number", _third(b"7")),
    Rows("jsonl: line is null", _third(b"null")),
    Rows("jsonl: line is a string", _third(b'"broken.png"')),
    Rows("jsonl: line in GBK", _third('{"file_name": "broken.png", "text": "红色"}'.encode("gbk"))),
    Rows("jsonl: line in Latin-1", _third('{"file_name": "broken.png", "text": "é"}'.encode("l1"))),
    Rows("jsonl: line with a NUL byte", _third(b'{"file_name": "broken.png", "text": "a\0b"}')),
    Rows("jsonl: nested 100,000 deep", _third(_nested(100_000))),
    Rows(
        "jsonl: number of 5000 digits",
        _third(b'{"file_name": "broken.png", "n": ' + b"9" * 5000 + b"}"),
    ),
    Rows("jsonl: line of 17 MiB", _third(json.dumps(_row(text="x" * (17 << 20))).encode())),
    # captions
    Rows("jsonl: caption missing", _third({"file_name": "broken.png"})),
    Rows("jsonl: caption null", _third(_row(text=None))),
    Rows("jsonl: caption empty", _third(_row(text=""))),
    Rows("jsonl: caption blank", _third(_row(text=" \t\u3000\n"))),
    Rows("jsonl: captions an empty list", _third(_row(text=[]))),
    Rows("jsonl: captions a list of blanks", _third(_row(text=["", " "]))),
    Rows("jsonl: caption a number", _third(_row(text=7))),
    Rows("jsonl: caption true", _third(_row(text=True))),
    Rows("jsonl: caption NaN", _third(b'{"file_name": "broken.png", "text": NaN}')),
    Rows("jsonl: caption Infinity", _third(b'{"file_name": "broken.png", "text": -Infinity}')),
    Rows("jsonl: caption an object", _third(_row(text={"en": "bad"}))),
    Rows("jsonl: captions a nested list", _third(_row(text=[["bad"]]))),
    Rows("jsonl: captions with a number among them", _third(_row(text=["bad", 7]))),
    Rows(
        "jsonl: caption with a lone surrogate",
        _third(b'{"file_name": "broken.png", "text": "\\udc00"}'),
    ),
    Rows(
        "jsonl: other column with a lone surrogate",
        _third(b'{"file_name": "broken.png", "text": "bad", "kind": "\\udc00"}'),
    ),
    # rows that repeat or contradict each other
    Rows("jsonl: row said twice", c.metadata(c.GOOD[0])),
    Rows(
        "jsonl: id given to two pictures",
        c.in_folder(
            {
                **c.pictures(),
                "broken.png": c.picture(),
                "metadata.jsonl": c.jsonl(
                    [{**c.GOOD[0], "id": 1}, {**c.GOOD[1], "id": 2}, _row(id=1)]
                ),
            }
        ),
    ),
    # bytes that are no picture
    Rows("picture: empty file", _bad_picture(b"")),
    Rows("picture: one byte", _bad_picture(b"\x89")),
    Rows("picture: text", _bad_picture("这不是图片")),
    Rows(
        "picture: HTML of an error page", _bad_picture("<html>404 Not Found</html>", "broken.jpg")
    ),
    Rows("picture: SVG", _bad_picture("<svg xmlns='http://www.w3.org/2000/svg'/>")),
    Rows("picture: TIFF", _bad_picture(c.picture("TIFF"))),
    Rows("picture: a zip", _bad_picture(c.zip_bytes({"a": "b"}))),
    Rows("picture: PNG of 60000 x 60000 (bomb)", _bad_picture(c.png_of_size(60_000, 60_000))),
    Rows("picture: PNG of 10000 x 6500", _bad_picture(c.png_of_size(10_000, 6_500))),
    Rows(
        "picture: GIF of 65535 x 65535 (bomb)",
        _bad_picture(c.gif_of_size(65_535, 65_535), "broken.gif"),
    ),
    Rows("picture: PNG without width", _bad_picture(c.png_of_size(0, 8))),
    Rows("picture: PNG with a wrong checksum", _bad_picture(c.garbled(c.picture()))),
    Rows("picture: JPEG head alone", _bad_picture(c.picture("JPEG")[:20], "broken.jpg")),
    Rows(
        "picture: BMP with wild sizes",
        _bad_picture(c.garbled(c.picture("BMP"), 0.01, 12), "broken.bmp"),
    ),
    *(
        Rows(f"picture: {kind} cut off", _bad_picture(c.cut(c.picture(kind)), f"broken.{suffix}"))
        for suffix, kind in c.FORMATS.items()
    ),
    *(
        Rows(
            f"picture: {kind} of which the head is left",
            _bad_picture(c.picture(kind)[:12], f"broken.{suffix}"),
        )
        for suffix, kind in c.FORMATS.items()
    ),
    Rows("picture: over 256 MiB", _bad_picture(c.large(257))),
    Rows("picture: a folder of that name", _bad_picture(c.folder)),
    Rows("picture: a pipe", _bad_picture(c.pipe)),
    Rows("picture: link that leaves the folder", _bad_picture(c.link_to("../../../etc/passwd"))),
    Rows("picture: link to nothing", _bad_picture(c.link_to("nothing.png"))),
    Rows("picture: link to itself", _bad_picture(c.link_to("broken.png"))),
    # metadata.csv
    Rows("csv: missing picture", c.table(b"gone.png,gone")),
    Rows("csv: too many cells", c.table(b"broken.png,a,b", broken__png=c.picture())),
    Rows("csv: too few cells", c.table(b"broken.png", broken__png=c.picture())),
    Rows("csv: caption empty", c.table(b"broken.png,", broken__png=c.picture())),
    Rows("csv: row in GBK", c.table("broken.png,红色".encode("gbk"), broken__png=c.picture())),
    Rows("csv: text after a quoted cell", c.table(b'broken.png,"a"b', broken__png=c.picture())),
    Rows(
        "csv: quote that never ends",
        c.table(b'broken.png,"a', b"worse.png,b", broken__png=c.picture()),
    ),
    Rows(
        "csv: cell of 200,000 characters",
        c.table(b"broken.png," + b"x" * 200_000, broken__png=c.picture()),
    ),
    Rows("csv: file_name climbs out", c.table(b"../../etc/passwd,x")),
    # a .txt beside each picture
    Rows("txt: picture without .txt", c.captioned({"broken.png": c.picture()})),
    Rows("txt: .txt empty", c.captioned({"broken.png": c.picture(), "broken.txt": ""})),
    Rows(
        "txt: .txt blank", c.captioned({"broken.png": c.picture(), "broken.txt": "\ufeff \r\n\n"})
    ),
    Rows(
        "txt: .txt in GBK",
        c.captioned({"broken.png": c.picture(), "broken.txt": "红色".encode("gbk")}),
    ),
    Rows(
        "txt: .txt in UTF-16",
        c.captioned({"broken.png": c.picture(), "broken.txt": "红色".encode("utf-16")}),
    ),
    Rows("txt: .txt a folder", c.captioned({"broken.png": c.picture(), "broken.txt": c.folder})),
    Rows(
        "txt: .txt a link that leaves the folder",
        c.captioned({"broken.png": c.picture(), "broken.txt": c.link_to("/etc/passwd")}),
    ),
    Rows(
        "txt: .txt over 256 MiB",
        c.captioned({"broken.png": c.picture(), "broken.txt": c.large(257)}),
    ),
    Rows(
        "txt: name is no UTF-8",
        c.captioned({"broken\udcff.png": c.picture(), "broken\udcff.txt": "bad"}),
    ),
    Rows("txt: name with a line break", c.captioned({"two\nlines.png": c.picture()})),
    Rows("txt: picture is none", c.captioned({"broken.png": "text", "broken.txt": "bad"})),
    # zips
    Rows("zip: missing picture", c.files({"data.zip": c.good_zip(_row())}), "data.zip"),
    Rows(
        "zip: file_name climbs out",
        c.files(
            {"data.zip": c.good_zip(_row("../broken.png"), more={"../broken.png": c.picture()})}
        ),
        "data.zip",
    ),
    Rows(
        "zip: picture needs a password",
        c.files(
            {
                "data.zip": c.encrypted(
                    c.good_zip(_row(), more={"broken.png": c.picture()}), ("broken.png",)
                )
            }
        ),
        "data.zip",
    ),
    Rows(
        "zip: picture damaged",
        c.files(
            {
                "data.zip": c.garbled(
                    c.good_zip(_row(), more={"broken.png": c.picture()}, method=zipfile.ZIP_STORED),
                    0.72,
                )
            }
        ),
        "data.zip",
    ),
    Rows(
        "zip: picture damaged, bzip2",
        c.files(
            {
                "data.zip": c.garbled(
                    c.good_zip(
                        _row(), more={"broken.png": c.picture() * 3}, method=zipfile.ZIP_BZIP2
                    ),
                    0.7,
                )
            }
        ),
        "data.zip",
    ),
    Rows(
        "zip: picture damaged, LZMA",
        c.files(
            {
                "data.zip": c.garbled(
                    c.good_zip(
                        _row(), more={"broken.png": c.picture() * 3}, method=zipfile.ZIP_LZMA
                    ),
                    0.7,
                )
            }
        ),
        "data.zip",
    ),
    Rows(
        "zip: unknown compression",
        c.files(
            {
                "data.zip": c.with_method(
                    c.good_zip(_row(), more={"broken.png": c.picture()}), "broken.png", 99
                )
            }
        ),
        "data.zip",
    ),
    Rows(
        "zip: picture of 257 MiB of zeros (bomb)",
        c.files(
            {
                "data.zip": lambda path: path.write_bytes(
                    c.good_zip(_row(), more={"broken.png": bytes(257 << 20)})
                )
            }
        ),
        "data.zip",
    ),
    Rows(
        "zip: entry without a name",
        c.files(
            {
                "data.zip": c.good_zip(_row(), more={"broken.png": c.picture()})
                .replace(b"\0broken.png", b"\0\0roken.png")
                .replace(b"broken.png\x89", b"\0roken.png\x89")
            }
        ),
        "data.zip",
    ),
    Rows(
        "zip: .txt without UTF-8",
        c.files(
            {
                "data.zip": c.zip_bytes(
                    {
                        **c.pictures(),
                        **c.texts(),
                        "broken.png": c.picture(),
                        "broken.txt": "é".encode("l1"),
                    }
                )
            }
        ),
        "data.zip",
    ),
    # WebDataset tars
    Rows(
        "tar: link",
        c.files(
            {
                "data.tar": c.tar_bytes(
                    [*c.good_members(), c.tar_entry("broken.png", tarfile.SYMTYPE, "/etc/passwd")]
                )
            }
        ),
        "data.tar",
    ),
    Rows(
        "tar: hard link",
        c.files(
            {
                "data.tar": c.tar_bytes(
                    [*c.good_members(), c.tar_entry("broken.png", tarfile.LNKTYPE, "red.png")]
                )
            }
        ),
        "data.tar",
    ),
    Rows(
        "tar: device",
        c.files(
            {
                "data.tar": c.tar_bytes(
                    [*c.good_members(), c.tar_entry("broken.png", tarfile.CHRTYPE)]
                )
            }
        ),
        "data.tar",
    ),
    Rows(
        "tar: name climbs out",
        c.files({"data.tar": c.tar_bytes([*c.good_members(), ("../broken.png", c.picture())])}),
        "data.tar",
    ),
    Rows(
        "tar: name absolute",
        c.files({"data.tar": c.tar_bytes([*c.good_members(), ("/etc/broken.png", c.picture())])}),
        "data.tar",
    ),
    Rows(
        "tar: two files of one name",
        c.files({"data.tar": c.tar_bytes([*c.good_members(), ("red.png", c.picture())])}),
        "data.tar",
    ),
    Rows(
        "tar: two pictures of one key",
        c.files(
            {
                "data.tar": c.tar_bytes(
                    [
                        *c.good_members(),
                        ("a.png", c.picture()),
                        ("a.jpg", c.picture("JPEG")),
                        ("a.txt", b"a"),
                    ]
                )
            }
        ),
        "data.tar",
    ),
    Rows(
        "tar: captions without picture",
        c.files({"data.tar": c.tar_bytes([*c.good_members(), ("broken.txt", b"bad")])}),
        "data.tar",
    ),
    Rows(
        "tar: picture without captions",
        c.files({"data.tar": c.tar_bytes([*c.good_members(), ("broken.png", c.picture())])}),
        "data.tar",
    ),
    Rows(
        "tar: .json cut off",
        c.files(
            {
                "data.tar": c.tar_bytes(
                    [
                        *c.good_members(),
                        ("broken.png", c.picture()),
                        ("broken.json", b'{"text": "b'),
                    ]
                )
            }
        ),
        "data.tar",
    ),
    Rows(
        "tar: .json a list",
        c.files(
            {
                "data.tar": c.tar_bytes(
                    [*c.good_members(), ("broken.png", c.picture()), ("broken.json", b'["bad"]')]
                )
            }
        ),
        "data.tar",
    ),
    Rows(
        "tar: .json nested 100,000 deep",
        c.files(
            {
                "data.tar": c.tar_bytes(
                    [
                        *c.good_members(),
                        ("broken.png", c.picture()),
                        ("broken.json", _nested(100_000)),
                    ]
                )
            }
        ),
        "data.tar",
    ),
    Rows(
        "tar: .json with a number of 5000 digits",
        c.files(
            {
                "data.tar": c.tar_bytes(
                    [
                        *c.good_members(),
                        ("broken.png", c.picture()),
                        ("broken.json", b'{"n": ' + b"9" * 5000 + b"}"),
                    ]
                )
            }
        ),
        "data.tar",
    ),
    Rows(
        "tar: .txt in GBK",
        c.files(
            {
                "data.tar": c.tar_bytes(
                    [
                        *c.good_members(),
                        ("broken.png", c.picture()),
                        ("broken.txt", "红色".encode("gbk")),
                    ]
                )
            }
        ),
        "data.tar",
    ),
    Rows(
        "tar: cut off within a picture",
        c.files(
            {
                "data.tar": c.tar_bytes(
                    [*c.good_members(), ("broken.txt", b"bad"), ("broken.png", c.picture())]
                )[: 512 * 13 + 700]
            }
        ),
        "data.tar",
    ),
    Rows(
        "tar: cut off before its end",
        c.files({"data.tar": c.tar_bytes(c.good_members()).rstrip(b"\0") + bytes(100)}),
        "data.tar",
    ),
    Rows(
        "tar: header damaged",
        c.files(
            {
                "data.tar": c.tar_bytes([*c.good_members(), ("broken.png", c.picture())]).replace(
                    b"broken.png", b"brOken.png"
                )
            }
        ),
        "data.tar",
    ),
    # TFRecord
    Rows("tfrecord: cut off", c.records(lambda data: data[:-9])),
    Rows("tfrecord: record damaged", c.records(lambda data: c.garbled(data, 0.75))),
    Rows("tfrecord: length damaged", c.records(lambda data: data + b"\xff" * 40)),
    Rows("tfrecord: no Example", c.records(lambda data: data + c.record(b"no Example"))),
    Rows("tfrecord: empty record", c.records(lambda data: data + c.record(b""))),
    # COCO
    Rows("coco: annotation of no image", c.coco([], [{"id": 9, "image_id": 9, "caption": "x"}])),
    Rows("coco: image without annotation", c.coco([{"id": 9, "file_name": "red.png"}], [])),
    Rows("coco: second image of an id", c.coco([{"id": 0, "file_name": "red.png"}], [])),
    Rows(
        "coco: second annotation of an id", c.coco([], [{"id": 0, "image_id": 0, "caption": "x"}])
    ),
    Rows(
        "coco: image without file_name",
        c.coco([{"id": 9}], [{"id": 9, "image_id": 9, "caption": "x"}]),
    ),
    Rows("coco: image without id", c.coco([{"file_name": "red.png"}], [])),
    Rows("coco: image is a string", c.coco(["red.png"], [])),
    Rows("coco: annotation is null", c.coco([], [None])),
    Rows("coco: annotation without caption", c.coco([], [{"id": 9, "image_id": 0}])),
    Rows(
        "coco: caption a number",
        c.coco([{"id": 9, "file_name": "red.png"}], [{"id": 9, "image_id": 9, "caption": 7}]),
    ),
    Rows(
        "coco: file_name climbs out",
        c.coco(
            [{"id": 9, "file_name": "../../red.png"}], [{"id": 9, "image_id": 9, "caption": "x"}]
        ),
    ),
    Rows(
        "coco: missing picture",
        c.coco([{"id": 9, "file_name": "gone.png"}], [{"id": 9, "image_id": 9, "caption": "x"}]),
    ),
    Rows(
        "coco: id with a line break",
        c.coco(
            [{"id": "a\nb", "file_name": "gone.png"}],
            [{"id": 9, "image_id": "a\nb", "caption": "x"}],
        ),
    ),
]
