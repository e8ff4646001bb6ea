"""LiteRT files in the stock runtime, `ai_edge_litert`."""

import os
from collections import Counter
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from kgen.export import proof
from kgen.export.litert.conversion import (
    foreign_operators,
    operators_of,
    parsed,
    shaped_at_run_time,
)

THREADS = (1, 2)
Shapes = Mapping[str, tuple]  # name: (*shape, dtype)


def builtin_operators_of(path: str | os.PathLike, artefact: str) -> dict[str, int]:
    """Every operator in a file, with how often it is there.

    Raises:
        GateError: Some are not built in, or a transposed convolution has its shape from one.
    """
    operators = operators_of(path)
    foreign = foreign_operators(operators)
    proof.gate(not foreign, artefact, "operators", "LiteRT's builtin ones", foreign)
    unshaped = shaped_at_run_time(parsed(Path(path).read_bytes()))
    expected = "constant, of a static batch (XNNPACK leaves it out else)"
    proof.gate(not unshaped, artefact, "shape of TRANSPOSE_CONV", expected, unshaped)
    return operators


class Running:
    """A file that runs, by its signatures.

    Args:
        path: The file.
        artefact: Its name in errors.
        num_threads: Threads that run it.

    Raises:
        GateError: The runtime refuses the file.
    """

    def __init__(self, path: str | os.PathLike, artefact: str, num_threads: int = 2):
        self._artefact = artefact
        try:
            self._interpreter = Interpreter(os.fspath(path), num_threads=num_threads)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            proof.gate(False, artefact, "run", "taken by ai_edge_litert", str(error), error)
        self._signatures = {}

    def check(self, signature: str, inputs: Shapes, outputs: Shapes) -> None:
        """Refuses a signature with other inputs or outputs than these.

        Raises:
            GateError: It is not there, or has others.
        """
        known = self._interpreter.get_signature_list()
        proof.gate(signature in known, self._artefact, "signatures", signature, [*known])
        runner = self._interpreter.get_signature_runner(signature)
        found = _shapes(runner.get_input_details())
        proof.gate(found == dict(inputs), self._artefact, "inputs", f"{dict(inputs)}", found)
        found = _shapes(runner.get_output_details())
        proof.gate(found == dict(outputs), self._artefact, "outputs", f"{dict(outputs)}", found)
        self._signatures[signature] = runner

    def __call__(self, signature: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        return self._signatures[signature](**inputs)

    def rows(self, signature: str, num: int, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Calls a signature of batch B with every B rows of (N, …), and joins what it gives.

        Args:
            signature: Name of the signature, which has been checked.
            num: B; N is a multiple of it.
            **inputs: (N, …) each.
        """
        total = len(next(iter(inputs.values())))
        parts = [
            self(signature, **{name: given[i : i + num] for name, given in inputs.items()})
            for i in range(0, total, num)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def taken_by_xnnpack(self) -> str:
        """How many operators of the first signature XNNPACK runs, and which it does not."""
        # The interpreter has no public name for this. Delegates stand in the list like operators,
        # with what they take and give; what lies between has been taken.
        known = self._interpreter._get_ops_details()
        operators = {op["index"]: op for op in known if op["op_name"] != "DELEGATE"}
        made_by = {int(t): index for index, op in operators.items() for t in op["outputs"]}
        taken = set()
        for delegate in (op for op in known if op["op_name"] == "DELEGATE"):
            given, to_do = {*map(int, delegate["inputs"])}, [*map(int, delegate["outputs"])]
            while to_do:
                tensor = to_do.pop()
                index = made_by.get(tensor)
                if tensor not in given and index is not None and index not in taken:
                    taken.add(index)
                    to_do += map(int, operators[index]["inputs"])
        left = Counter(op["op_name"] for index, op in operators.items() if index not in taken)
        others = ", ".join(f"{name} {count}" for name, count in sorted(left.items()))
        share = f"{len(taken)} of {len(operators)} operators"
        return f"{share}; not {others}" if others else share


def versions() -> dict[str, str]:
    """Versions of what runs these files."""
    return {"ai_edge_litert": metadata.version("ai-edge-litert")}


def _shapes(details):
    return {
        name: (*map(int, detail["shape"]), np.dtype(detail["dtype"]).name)
        for name, detail in details.items()
    }
