"""What `quick_init` makes behaves like any frozen dataclass."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from kms_access.policies.quick_init import quick_init


@dataclass(frozen=True, slots=True)
class Plain:
    name: str
    size: int = 1
    parts: tuple[str, ...] = ()
    seen: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)


@quick_init
@dataclass(frozen=True, slots=True)
class Quick:
    name: str
    size: int = 1
    parts: tuple[str, ...] = ()
    seen: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)


def test_arguments_and_defaults_are_those_of_the_dataclass() -> None:
    assert inspect.signature(Quick) == inspect.signature(Plain)
    made = Quick("a", parts=("b",))
    assert (made.name, made.size, made.parts, made.seen) == ("a", 1, ("b",), {})
    assert made.seen is not Quick("a").seen
    assert repr(made) == repr(Plain("a", parts=("b",))).replace("Plain", "Quick")


@pytest.mark.parametrize("arguments", [{}, {"name": "a", "other": 1}, {"name": "a", "seen": {}}])
def test_wrong_arguments_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        Quick(**arguments)  # type: ignore[arg-type]


def test_instances_stay_frozen_values() -> None:
    made = Quick("a", 2)
    with pytest.raises(FrozenInstanceError):
        made.size = 3  # type: ignore[misc]
    assert made == Quick("a", 2) != replace(made, size=3)
    assert hash(made) == hash(Quick("a", 2))
    assert copy.copy(made) == made == pickle.loads(pickle.dumps(made))


def test_what_needs_more_than_setting_fields_is_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Checked:
        name: str

        def __post_init__(self) -> None:
            raise AssertionError(self.name)

    @dataclass(frozen=True, slots=True)
    class Made:
        parts: list[str] = field(default_factory=list)

    for cls, message in ((Checked, "__post_init__"), (Made, "default factory")):
        with pytest.raises(TypeError, match=message):
            quick_init(cls)
