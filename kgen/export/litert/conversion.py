"""TensorFlow functions to LiteRT files, and what is in such a file."""

import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import flatbuffers
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from kgen.export import proof


def converted(
    variables: Iterable[tf.Variable], signatures: Mapping[str, Callable], half: bool = False
) -> bytes:
    """Converts functions to one file, with LiteRT's builtin operators only.

    Args:
        variables: All that the functions read.
        signatures: Traced functions by the names that they will have.
        half: Whether weights are stored as float16; the arithmetic is float32 all the same.

    Returns:
        The contents of a `.tflite` file; what several functions share is in it once.

    Raises:
        GateError: Some operators are no builtin ones; the message names them.
    """
    # Not what they are of: to save all that hangs on a Keras model takes as long as all else.
    module = tf.Module()
    module.variables_read = [*variables]
    # By way of a SavedModel: straight from a concrete function the file has no named signature.
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=dict(signatures))
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=list(signatures)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if half:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        try:
            return converter.convert()
        except Exception as error:  # the converter's own class is no public name
            # Its message is pages of MLIR, in which refused operators stand as tf.Name.
            found = sorted(set(re.findall(r"\btf\.[A-Z]\w+", str(error)))) or str(error)
            proof.gate(False, "litert", "operators", "LiteRT's builtin ones", found, error)
            raise


def parsed(content: bytes) -> schema.ModelT:
    """The tables of a LiteRT file, its buffers all inside."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for buffer in model.buffers:
        if buffer.size:  # it lies behind the tables, which older runtimes do not know
            behind = content[buffer.offset : buffer.offset + buffer.size]
            buffer.data = np.frombuffer(behind, np.uint8)
            buffer.offset = buffer.size = 0
    return model


def constant_of(model: schema.ModelT, tensor: schema.TensorT) -> np.ndarray | None:
    """A tensor's constant float32 or int32 numbers; `None` for what is computed."""
    data = model.buffers[tensor.buffer].data
    if data is None:
        return None
    types = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.INT32: np.int32}
    return np.frombuffer(np.asarray(data).tobytes(), types[tensor.type]).reshape(tensor.shape)


def operators_of(path: str | os.PathLike) -> dict[str, int]:
    """Every operator in a LiteRT file, all subgraphs included, with how often it is there.

    One that is not built in has the name it was registered by, as in `custom:FlexReadFile`.
    """
    model = parsed(Path(path).read_bytes())
    codes = operator_names(model)
    used = (operator for subgraph in model.subgraphs for operator in subgraph.operators)
    return dict(sorted(Counter(codes[operator.opcodeIndex] for operator in used).items()))


def operator_names(model: schema.ModelT) -> list[str]:
    """Names of the operators that a file lists, in the order of their indices."""
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
    codes = []
    for known in model.operatorCodes:
        # Codes above 127 are in the newer of the two fields, lower ones may be in either.
        code = max(known.builtinCode, known.deprecatedBuiltinCode)
        custom = (known.customCode or b"").decode()
        codes.append(f"custom:{custom}" if names[code] == "CUSTOM" else names[code])
    return codes


def shaped_at_run_time(model: schema.ModelT) -> list[str]:
    """Transposed convolutions whose output's shape is computed, which XNNPACK leaves out."""
    codes = operator_names(model)
    return [
        subgraph.tensors[operator.outputs[0]].name.decode()
        for subgraph in model.subgraphs
        for operator in subgraph.operators
        if codes[operator.opcodeIndex] == "TRANSPOSE_CONV"
        and constant_of(model, subgraph.tensors[operator.inputs[0]]) is None
    ]


def foreign_operators(operators: Iterable[str]) -> list[str]:
    """Those operators that the stock runtimes refuse: custom ones, among which TensorFlow's."""
    return [name for name in operators if name.startswith("custom:") or name == "DELEGATE"]


def serialized(model: schema.ModelT) -> bytes:
    """A LiteRT file of its tables, with equal vectors, texts, options and quantizations in it once.

    Else each signature had its own scales of the weights that all share, each tensor its own
    shape, and each of the many small steps of an LSTM its own options: a tenth of an int8 file,
    and of small models' a quarter.
    """
    _drop_empty_buffers(model)
    _drop_empty_quantization(model)
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            operator.builtinOptions = _Shared.of(operator.builtinOptions)
        for tensor in subgraph.tensors:
            tensor.quantization = _Shared.of(tensor.quantization)
    builder = _Once()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _drop_empty_buffers(model):
    """What is computed has the first buffer, which is empty by definition, not one of its own."""
    kept = {0: 0}
    for index, buffer in enumerate(model.buffers):
        if buffer.data is not None and len(buffer.data):
            kept[index] = len(kept)
    for tensor in (tensor for subgraph in model.subgraphs for tensor in subgraph.tensors):
        tensor.buffer = kept.get(tensor.buffer, 0)
    for entry in model.metadata or ():
        entry.buffer = kept.get(entry.buffer, 0)
    model.metadataBuffer = None
    model.buffers = [model.buffers[index] for index in kept]


def _drop_empty_quantization(model):
    """Of tensors in floats, which the converter gives a table that says nothing."""
    for tensor in (tensor for subgraph in model.subgraphs for tensor in subgraph.tensors):
        told = tensor.quantization
        if told is not None and not np.size(told.scale if told.scale is not None else ()):
            tensor.quantization = None


class _Shared:
    """A table that a file holds once, however often it is referred to."""

    @classmethod
    def of(cls, table) -> "_Shared | None":
        return None if table is None else cls(table)

    def __init__(self, table):
        self._table = table
        fields = sorted(vars(table).items())
        values = (v.tobytes() if isinstance(v, np.ndarray) else repr(v) for _, v in fields)
        self._key = type(table).__name__, *values

    def Pack(self, builder):  # noqa: N802
        return builder.once(self._key, lambda: self._table.Pack(builder))


class _Once(flatbuffers.Builder):
    """Writes a vector again only if it has not been written yet."""

    def __init__(self):
        super().__init__()
        self._written = {}

    def CreateNumpyVector(self, x):  # noqa: N802
        key = x.dtype.str, x.tobytes()
        return self.once(key, lambda: super(_Once, self).CreateNumpyVector(x))

    def CreateString(self, s, encoding="utf-8", errors="strict"):  # noqa: N802
        return self.once(s, lambda: super(_Once, self).CreateString(s, encoding, errors))

    def once(self, key, write):
        if key not in self._written:
            self._written[key] = write()
        return self._written[key]

    def StartVector(self, elemSize, numElems, alignment):  # noqa: N802, N803
        # Bytes start at multiples of 16, as the schema demands of buffers.
        return super().StartVector(elemSize, numElems, 16 if elemSize == 1 else alignment)
