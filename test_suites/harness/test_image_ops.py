"""Which kernels an image holds, by the names that the linker kept."""

from __future__ import annotations

import pytest

from hil.image_ops import extra_ops, ops_of


@pytest.mark.parametrize(
    ("symbol", "ops"),
    [
        ("_ZN6tflite3ops5micro12Register_ADDEv", {"ADD"}),
        ("_ZN6tflite12Register_ADDEv", {"ADD"}),
        ("_Z12Register_ADDv", {"ADD"}),
        ("_ZN6tflite16Register_CONV_2DEv", {"CONV_2D"}),
        ("_ZN6tflite29Register_FULLY_CONNECTED_INT8Ev", {"FULLY_CONNECTED_INT8"}),
        ("_ZN6tflite99Register_ADDEv", set()),
        ("_ZN6tflite12register_addEv", set()),
        ("Register_ADD", set()),
        ("", set()),
    ],
)
def test_an_op_is_in_its_registrations_name(symbol: str, ops: set[str]) -> None:
    assert ops_of([symbol]) == ops


def test_what_the_model_has_is_not_extra() -> None:
    found = ["ADD", "CONV_2D", "FULLY_CONNECTED_INT8", "MY_OP", "SOFTMAX"]
    model = ["CONV_2D", "FULLY_CONNECTED", "CUSTOM:my_op"]
    assert extra_ops(found, model) == ["ADD", "SOFTMAX"]
    assert extra_ops([], model) == []
