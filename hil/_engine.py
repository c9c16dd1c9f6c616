"""One host engine, in a process of its own: it may refuse a model, hang or die.

    python _engine.py FOLDER

Reads ``request.json`` and ``inputs.npz`` in FOLDER, leaves ``reply.json`` and, if it could run
the model, ``outputs.npz``; also ``tensors.npz``, if the request names tensors, as the last vector
left them: then each tensor has memory of its own. What the engine prints goes to stderr. No
reply means that the process died. Imports nothing of the harness: it runs from its own file,
wherever that lies.
"""

from __future__ import annotations

import importlib.metadata
import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Tensors = list[Any]
Infer = Callable[[Tensors], Tensors]

DISTRIBUTIONS = {
    "tflm": "tflite-micro",
    "litert_ref": "ai-edge-litert",
    "tensorflow": "tensorflow-cpu",
}


def main(folder: Path) -> None:
    request = json.loads((folder / "request.json").read_text())
    _confine(int(request["memory"]), int(request["seconds"]))
    reply: dict[str, Any] = {"status": "absent", "reason": "", "version": ""}
    try:
        load = _ENGINES[request["engine"]]
        reply["version"] = importlib.metadata.version(DISTRIBUTIONS[request["engine"]])
        engine = load()
    except (ImportError, KeyError) as error:
        reply["reason"] = f"{type(error).__name__}: {error}"
    else:
        reply |= _answer(engine, request, folder)
    (folder / "reply.json").write_text(json.dumps(reply))


def _confine(memory: int, seconds: int) -> None:
    """No core file, bounded memory, and an end even if nobody is left to kill this process."""
    limits = ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, memory))
    for kind, wanted in (*limits, (resource.RLIMIT_CPU, seconds)):
        hard = resource.getrlimit(kind)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (value, value))


def _answer(engine: Any, request: dict[str, Any], folder: Path) -> dict[str, Any]:
    import numpy as np

    data = (folder / "model.tflite").read_bytes()
    if not request["vectors"]:
        return _allocate(engine, data, request)
    with np.load(folder / "inputs.npz", allow_pickle=False) as file:
        inputs = [file[f"i{i}"] for i in range(request["inputs"])]
    try:
        infer, reset, close, look = engine(data, request)
        columns: list[Tensors] = [[] for _ in range(request["outputs"])]
        for n in range(request["vectors"]):
            if n and not request["sequences"]:
                reset()
            for column, value in zip(columns, infer([x[n] for x in inputs]), strict=True):
                column.append(np.array(value, copy=True))
        close()
        arrays = {f"o{i}": np.stack(column) for i, column in enumerate(columns)}
        tensors = {f"t{i}": np.array(look(i), copy=True) for i in request["tensors"]}
    except (RuntimeError, ValueError, TypeError, MemoryError) as error:
        return {"status": "refused", "reason": str(error) or type(error).__name__}
    np.savez(folder / "outputs.npz", allow_pickle=False, **arrays)
    np.savez(folder / "tensors.npz", allow_pickle=False, **tensors)
    return {"status": "ran"}


def _allocate(engine: Any, data: bytes, request: dict[str, Any]) -> dict[str, Any]:
    """Tensors are allocated and the engine says what it took; nothing is invoked."""
    try:
        _, _, close, _ = engine(data, request)
        close()
    except (RuntimeError, ValueError, TypeError, MemoryError) as error:
        return {"status": "refused", "reason": str(error) or type(error).__name__}
    return {"status": "ran"}


def _tflm() -> Any:
    from tflite_micro.python.tflite_micro import runtime

    def engine(data: bytes, request: dict[str, Any]) -> Any:
        keep = runtime.InterpreterConfig.kPreserveAllTensors
        config = {"intrepreter_config": keep} if request["tensors"] else {}  # spelt like this
        interpreter = runtime.Interpreter.from_bytes(data, arena_size=request["arena"], **config)

        def infer(inputs: Tensors) -> Tensors:
            for i, value in enumerate(inputs):
                interpreter.set_input(value, i)
            interpreter.invoke()
            return [interpreter.get_output(i) for i in range(request["outputs"])]

        def look(index: int) -> Any:
            return interpreter.GetTensor(index, 0)["tensor_data"]

        # Allocations are recorded only where tensors share memory as on a board.
        close = (lambda: None) if request["tensors"] else interpreter.print_allocations
        return infer, interpreter.reset, close, look

    return engine


def _litert() -> Any:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    return _interpreter_engine(Interpreter, OpResolverType.BUILTIN_REF)


def _interpreter_engine(make: Any, reference: Any) -> Any:
    def engine(data: bytes, request: dict[str, Any]) -> Any:
        interpreter = make(
            model_content=data,
            experimental_op_resolver_type=reference,  # never XNNPACK
            num_threads=1,
            experimental_preserve_all_tensors=bool(request["tensors"]),
        )
        interpreter.allocate_tensors()
        ends = [item["index"] for item in interpreter.get_input_details()]
        outs = [item["index"] for item in interpreter.get_output_details()]

        def infer(inputs: Tensors) -> Tensors:
            for index, value in zip(ends, inputs, strict=True):
                interpreter.set_tensor(index, value)
            interpreter.invoke()
            return [interpreter.get_tensor(index) for index in outs]

        return infer, interpreter.reset_all_variables, lambda: None, interpreter.get_tensor

    return engine


def _tensorflow() -> Any:
    import tensorflow

    lite = tensorflow.lite
    reference = lite.experimental.OpResolverType.BUILTIN_REF
    return _interpreter_engine(lite.Interpreter, reference)


_ENGINES: dict[str, Callable[[], Any]] = {
    "tflm": _tflm,
    "litert_ref": _litert,
    "tensorflow": _tensorflow,
}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
