"""What a test passes to ``infer`` becomes the model's own tensors, or is refused at once."""

from __future__ import annotations

import numpy as np
import pytest

from hil.inputs import in_real_units, model_inputs, model_outputs
from hil.tensors import TensorSpec

QUANTISED = TensorSpec("x", (1, 3), "int8", (0.5,), (-1,), 0)
PLAIN = TensorSpec("y", (1, 2), "float32", (), (), 0)


def test_floats_are_quantised_and_saturate() -> None:
    (made,) = model_inputs([QUANTISED], [[0.0, 0.25, 1000.0]], {})
    assert made.dtype == np.int8
    assert made.tolist() == [[-1, -1, 127]]  # 0.5 - 1 rounds to the even -0


def test_the_own_dtype_is_taken_as_it_is() -> None:
    given = np.array([[1, 2, 3]], np.int8)
    (made,) = model_inputs([QUANTISED], [given], {})
    assert made.tolist() == [[1, 2, 3]]


def test_doubles_become_floats() -> None:
    (made,) = model_inputs([PLAIN], [np.array([1.0, 2.0])], {})
    assert (made.dtype, made.shape) == (np.float32, (1, 2))


def test_by_name_in_any_order() -> None:
    specs = [QUANTISED, PLAIN]
    made = model_inputs(specs, [], {"y": [1.0, 2.0], "x": np.zeros(3, np.int8)})
    assert [each.dtype for each in made] == [np.int8, np.float32]


@pytest.mark.parametrize(
    ("arrays", "named", "words"),
    [
        ([], {}, "takes 2 inputs, got 0"),
        ([[0.0]], {"x": [0.0]}, "in order or by name, not both"),
        ([], {"x": [0.0], "z": [0.0]}, r"\['x', 'y'\], got \['x', 'z'\]"),
        ([np.zeros(4), np.zeros(2)], {}, r"'x': shape \[4\], expected \[1, 3\]"),
        ([np.zeros(3, np.int32), np.zeros(2)], {}, "dtype int32, expected int8 or float"),
        ([np.zeros(3), np.zeros(2, np.int64)], {}, "'y': dtype int64, expected float32"),
        ([np.array([np.nan, 0, 0]), np.zeros(2)], {}, "'x'"),
    ],
)
def test_what_does_not_fit_is_refused(
    arrays: list[object], named: dict[str, object], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        model_inputs([QUANTISED, PLAIN], arrays, named)


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"'x': shape .*; input 'y': shape"):
        model_inputs([QUANTISED, PLAIN], [np.zeros(9), np.zeros(9)], {})


def test_floats_in_floats_out() -> None:
    stored = np.array([[1, -1, -3]], np.int8)
    real = in_real_units([QUANTISED], [[0.5, 0.5, 0.5]], {})
    (made,) = model_outputs([QUANTISED], [stored], real=real)
    assert made.tolist() == [[1.0, 0.0, -1.0]]
    real = in_real_units([QUANTISED], [], {"x": stored})
    (made,) = model_outputs([QUANTISED], [stored], real=real)
    assert made is stored
    assert not in_real_units([PLAIN], [[0.5, 0.5]], {})
