"""Draws by a SavedModel through TensorFlow's C API, without Python's TensorFlow.

A program: `python c_api.py LIBRARY OPERATORS,… SAVED_MODEL FEEDS FETCH OUT`. LIBRARY is
TensorFlow's own, OPERATORS are libraries of more operators. FEEDS is JSON: for each input the
operation and either `strings` or `values`, `dtype` and `shape`. OUT gets the bytes of the output
FETCH, `operation:index`, a uint8 tensor.
"""

import ctypes
import json
import sys
from pathlib import Path

TYPES = {"float32": (1, ctypes.c_float), "int32": (3, ctypes.c_int32), "int64": (9, ctypes.c_int64)}
STRING = 7
TSTRING_BYTES = 24


class Output(ctypes.Structure):
    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


def main(library, operators, saved_model, feeds, fetch, out):
    tf = ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
    for name in ("TF_NewStatus", "TF_NewGraph", "TF_NewSessionOptions", "TF_AllocateTensor",
                 "TF_LoadSessionFromSavedModel", "TF_GraphOperationByName", "TF_TensorData",
                 "TF_LoadLibrary"):  # fmt: skip
        getattr(tf, name).restype = ctypes.c_void_p
    tf.TF_Message.restype = ctypes.c_char_p
    tf.TF_TensorByteSize.restype = ctypes.c_size_t
    status = ctypes.c_void_p(tf.TF_NewStatus())

    def check(what):
        if tf.TF_GetCode(status):
            sys.exit(f"{what}: {tf.TF_Message(status).decode()}")

    for path in filter(None, operators.split(",")):
        tf.TF_LoadLibrary(path.encode(), status)
        check(path)
    graph = ctypes.c_void_p(tf.TF_NewGraph())
    options = ctypes.c_void_p(tf.TF_NewSessionOptions())
    tags = (ctypes.c_char_p * 1)(b"serve")
    session = ctypes.c_void_p(
        tf.TF_LoadSessionFromSavedModel(
            options, None, saved_model.encode(), tags, 1, graph, None, status
        )
    )
    check("load")

    def output_of(name):
        operation, _, index = name.partition(":")
        found = tf.TF_GraphOperationByName(graph, operation.encode())
        if not found:
            sys.exit(f"no operation {operation}")
        return Output(found, int(index or 0))

    def tensor_of(feed):
        if "strings" in feed:
            strings = [text.encode() for text in feed["strings"]]
            shape = (ctypes.c_int64 * 1)(len(strings))
            size = ctypes.c_size_t(TSTRING_BYTES * len(strings))
            tensor = ctypes.c_void_p(tf.TF_AllocateTensor(STRING, shape, 1, size))
            data = tf.TF_TensorData(tensor)
            for n, text in enumerate(strings):
                place = ctypes.c_void_p(data + TSTRING_BYTES * n)
                tf.TF_StringInit(place)
                tf.TF_StringCopy(place, text, ctypes.c_size_t(len(text)))
            return tensor
        number, kind = TYPES[feed["dtype"]]
        values = (kind * len(feed["values"]))(*feed["values"])
        shape = (ctypes.c_int64 * len(feed["shape"]))(*feed["shape"])
        size = ctypes.c_size_t(ctypes.sizeof(values))
        tensor = ctypes.c_void_p(tf.TF_AllocateTensor(number, shape, len(shape), size))
        ctypes.memmove(tf.TF_TensorData(tensor), values, size.value)
        return tensor

    given = json.loads(Path(feeds).read_text(encoding="utf-8"))
    inputs = (Output * len(given))(*[output_of(name) for name in given])
    tensors = (ctypes.c_void_p * len(given))(*[tensor_of(feed) for feed in given.values()])
    wanted = (Output * 1)(output_of(fetch))
    made = (ctypes.c_void_p * 1)()
    tf.TF_SessionRun(
        session, None, inputs, tensors, len(given), wanted, made, 1, None, 0, None, status
    )
    check("run")
    result = ctypes.c_void_p(made[0])
    size = tf.TF_TensorByteSize(result)
    Path(out).write_bytes(ctypes.string_at(tf.TF_TensorData(result), size))
    if "tensorflow" in sys.modules:
        sys.exit("TensorFlow was imported: this proves nothing")


if __name__ == "__main__":
    main(*sys.argv[1:])
