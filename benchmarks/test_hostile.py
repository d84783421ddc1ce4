"""How much processor time hostile input takes: `make bench`. None may take more than 50 ms."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from tests.builders import allow, document
from tests.cases.hostile.outcomes import ALICE, Outcome, asked, checked, loaded, parsed, template
from tests.test_hostile_input import LARGE, POLICIES, RULES_FILES, SIBLING, SPOKEN, TEMPLATES

MOST_SECONDS = 0.050

Call = Callable[[Path], Outcome]


def small_inputs() -> dict[str, Callable[[], Call]]:
    calls: dict[str, Callable[[], Call]] = {}
    for name, case in POLICIES.items():
        text = case["policy"]
        calls[f"{name}, parsed"] = partial(parsed, text)
        calls[f"{name}, asked"] = partial(asked, resourcePolicy=text)
        calls[f"{name}, checked"] = partial(checked, template(text))
    for name, case in TEMPLATES.items():
        text, file = case["text"].replace("SIBLING", json.dumps(SIBLING)), case["file"]
        calls[f"{name}, template"] = partial(checked, text, file)
    for name, case in RULES_FILES.items():
        calls[f"{name}, rules file"] = partial(loaded, case["text"])
    for name, written in SPOKEN.items():
        calls[f"escapes: {name}"] = partial(checked, written)
    return calls


HOSTILE = {**small_inputs(), **{name: case.make for name, case in LARGE.items()}}


@pytest.fixture(scope="module", autouse=True)
def warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Data that the first question of a process reads is not the input's cost."""
    checked(template(document(allow(ALICE, "kms:*"))))(tmp_path_factory.mktemp("warm"))


@pytest.mark.benchmark(group="hostile input")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input(name: str, benchmark: Any, tmp_path: Path) -> None:
    call = HOSTILE[name]()
    spent: list[float] = []

    def once() -> None:
        # What other inputs have left in the process is not this input's cost.
        gc.collect()
        gc.freeze()
        start = process_time()
        call(tmp_path)
        spent.append(process_time() - start)

    benchmark.pedantic(once, rounds=1, iterations=1)
    assert spent[0] <= MOST_SECONDS, f"{spent[0] * 1000:.0f} ms"
