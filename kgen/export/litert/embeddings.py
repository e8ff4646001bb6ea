"""Embeddings in int8, which the quantizer leaves in float32."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kgen.export.litert.conversion import constant_of, operator_names, parsed, serialized

LOOK_UP = "GATHER"
MOST = 127  # of int8, the same both ways, so that 0 stays 0
DEQUANTIZE_VERSION = 5  # the first that knows a scale for each row


def with_stored_embeddings(content: bytes) -> bytes:
    """A LiteRT file whose embeddings are int8, each token's with a scale of its own.

    An operator before the look-up makes them float32 again, once, when the runtime gets the file
    ready: looked up as int8 they would be without their scales.
    """
    model = parsed(content)
    codes = operator_names(model)
    stored = {}  # scales by their buffers: several subgraphs may use them
    for subgraph in model.subgraphs:
        for operator in list(subgraph.operators):
            if codes[operator.opcodeIndex] == LOOK_UP:
                table = subgraph.tensors[operator.inputs[0]]
                is_constant = model.buffers[table.buffer].data is not None
                if is_constant and table.type == schema.TensorType.FLOAT32:
                    _store(model, codes, subgraph, operator, stored)
    return serialized(model)


def row_scales(table: np.ndarray) -> np.ndarray:
    """What int8 rows are to be multiplied by: float32 (rows,).

    Formula:
        scale_r = max_c |table_rc| / 127

    Example:
        >>> row_scales(np.array([[0.5, -63.5], [0.0, 0.0]], np.float32)).tolist()
        [0.5, 1.0]
    """
    most = np.abs(table).max(axis=1)
    return np.where(most, most / MOST, 1).astype(np.float32)


def _store(model, codes, subgraph, operator, stored):
    table = subgraph.tensors[operator.inputs[0]]
    rows = schema.TensorT()
    rows.shape, rows.type, rows.buffer, rows.name = table.shape, table.type, 0, b"embedding"
    if table.buffer not in stored:
        of_rows = constant_of(model, table)
        stored[table.buffer] = row_scales(of_rows)
        levels = np.rint(of_rows / stored[table.buffer][:, None]).astype(np.int8)
        model.buffers[table.buffer].data = np.frombuffer(levels.tobytes(), np.uint8)
    table.type = schema.TensorType.INT8
    table.quantization = schema.QuantizationParametersT()
    table.quantization.scale = stored[table.buffer]
    table.quantization.zeroPoint = np.zeros(len(table.quantization.scale), np.int64)
    subgraph.tensors.append(rows)
    made = len(subgraph.tensors) - 1
    subgraph.operators.insert(0, _dequantize(model, codes, operator.inputs[0], made))
    operator.inputs = np.array([made, *operator.inputs[1:]], np.int32)


def _dequantize(model, codes, given, made):
    if "DEQUANTIZE" not in codes:
        known = schema.OperatorCodeT()
        known.builtinCode = known.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
        model.operatorCodes.append(known)
        codes.append("DEQUANTIZE")
    known = model.operatorCodes[codes.index("DEQUANTIZE")]
    known.version = max(known.version, DEQUANTIZE_VERSION)
    operator = schema.OperatorT()
    operator.opcodeIndex = codes.index("DEQUANTIZE")
    operator.inputs, operator.outputs = np.array([given], np.int32), np.array([made], np.int32)
    operator.builtinOptionsType = schema.BuiltinOptions.DequantizeOptions
    operator.builtinOptions = schema.DequantizeOptionsT()
    return operator
