"""Makes host TFLM lie or die: found first on PYTHONPATH, it wraps the engine as it is imported.

``HIL_MUTANT_ENGINE`` says how. Nothing of the harness is touched.
"""

import importlib.abc
import importlib.util
import os
import sys

MODULE = "tflite_micro.python.tflite_micro.runtime"


def _lying(interpreter, how):
    import numpy as np

    class Lying(interpreter):
        """Answers otherwise than TFLM does."""

        _count, _before = 0, None

        def get_output(self, index):
            honest = np.array(super().get_output(index), copy=True)
            Lying._count += 1
            before, Lying._before = Lying._before, honest
            flat = honest.reshape(-1)
            if how == "one_lsb":
                flat[0] ^= 1
            elif how == "only_the_last_vector" and Lying._count % 11 == 0:
                flat[-1] ^= 1
            elif how == "reversed":
                return flat[::-1].reshape(honest.shape).copy()
            elif how == "late" and before is not None:
                return before
            elif how == "constant":
                flat[:] = 0
            elif how == "floats":
                return honest.astype(np.float32)
            elif how == "flat":
                return flat
            return honest

        def invoke(self):
            if how in _DEATHS:
                _DEATHS[how]()
            return super().invoke()

    return Lying


def _hang():
    while True:
        pass


def _segfault():
    import ctypes

    ctypes.string_at(0)


_DEATHS = {
    "abort": os.abort,
    "segfault": _segfault,
    "exit": lambda: os._exit(3),
    "killed": lambda: os.kill(os.getpid(), 9),
    "quiet_exit": lambda: os._exit(0),
    "hang": _hang,
}


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            module.Interpreter = _lying(module.Interpreter, os.environ["HIL_MUTANT_ENGINE"])

        spec.loader.exec_module = exec_module
        return spec


if "HIL_MUTANT_ENGINE" in os.environ:
    sys.meta_path.insert(0, _Finder())
