"""The search for the largest arena that an image can hold."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st

from hil.fitting import SMALLEST, STEP, Tried, fit

RAM = 262144
Link = Callable[[int], Tried[int]]


def linker(rest: int, alignment: int = 8, uneven: int = 0, fails: bool = True) -> Link:
    """Links like GNU ld: what lies behind the arena is aligned, and every other size needs
    ``uneven`` bytes more. An image is the size of its arena; too much RAM is an error if it
    ``fails``, else an image that leaves less than nothing."""

    def link(arena: int) -> Tried[int]:
        ram = -(-(rest + arena) // alignment) * alignment + arena // STEP % 2 * uneven
        image = None if fails and ram > RAM else arena
        return Tried(RAM - ram, ram if image else 0, image)

    return link


@given(
    rest=st.integers(0, 100_000),
    alignment=st.sampled_from([1, 8, 16, 32]),
    uneven=st.integers(0, STEP - 1),
    first=st.integers(SMALLEST // STEP, 20 * RAM // STEP // 16).map(lambda n: n * STEP),
    fails=st.booleans(),
)
@example(rest=19_232, alignment=1, uneven=8, first=SMALLEST, fails=True)  # seen: 32 left, 8 lack
def test_it_settles_and_leaves_less_than_two_steps(
    rest: int, alignment: int, uneven: int, first: int, fails: bool
) -> None:
    link = linker(rest, alignment, uneven, fails)
    fitted = fit(link, first)
    assert fitted is not None
    assert fitted.arena == fitted.image
    assert link(fitted.image).left >= 0
    assert link(fitted.image + 2 * STEP).left < 0


def test_a_sketch_with_an_arena_of_its_own_is_linked_as_it_is() -> None:
    assert fit(linker(5000), fixed=True) == (None, SMALLEST)


def test_ram_that_ignores_the_arena_ends_the_search() -> None:
    fitted = fit(lambda arena: Tried(RAM - 5000, 5000, arena))
    assert fitted is not None
    assert fitted.arena is None


def test_sizes_that_never_settle_are_no_image() -> None:
    tries = iter(range(100))
    assert fit(lambda arena: Tried(-STEP, next(tries), None), RAM) is None
