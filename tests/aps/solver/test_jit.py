"""The compiler's decorators."""

from aps.solver.jit import in_place, inlined


def test_where_machine_code_cannot_be_kept_it_is_compiled_all_the_same() -> None:
    names: dict = {}
    exec("def double(x):\n    return 2 * x", names)  # noqa: S102 - code without a file has no cache
    assert inlined(names["double"])(4) == 8
    assert in_place(names["double"])(5) == 10
