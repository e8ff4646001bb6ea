"""The operators that a SavedModel holds, and those among them that a server may lack."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

# TF-Text's operators that may be in the graph: all are in every server since 2.12. Those after
# the first two are what the tokenizers of pretrained text models take.
TEXT_OPERATORS = frozenset(
    {
        "FastBertNormalize",
        "FastWordpieceTokenizeWithOffsets",
        "CaseFoldUTF8",
        "NormalizeUTF8",
        "RegexSplitWithOffsets",
        "SentencepieceOp",
        "SentencepieceTokenizeOp",
    }
)
# TensorFlow's own, but a server has no Python to call and not always a CuDNN.
PYTHON_OPERATORS = frozenset({"EagerPyFunc", "PyFunc", "PyFuncStateless"})


def operators_of(folder: str | os.PathLike) -> dict[str, int]:
    """Every operator in a SavedModel's graph and its functions, with how often it is there."""
    saved = saved_model_pb2.SavedModel.FromString((Path(folder) / "saved_model.pb").read_bytes())
    graphs = [meta_graph.graph_def for meta_graph in saved.meta_graphs]
    counts = Counter(node.op for graph in graphs for node in graph.node)
    for graph in graphs:
        for function in graph.library.function:
            counts.update(node.op for node in function.node_def)
    return dict(sorted(counts.items()))


def foreign_operators(operators: Iterable[str]) -> list[str]:
    """Those operators that a server may lack: all but TensorFlow's own and some of TF-Text's."""
    return [
        name
        for name in operators
        if name not in TEXT_OPERATORS
        and (not hasattr(tf.raw_ops, name) or name in PYTHON_OPERATORS or "Cudnn" in name)
    ]
