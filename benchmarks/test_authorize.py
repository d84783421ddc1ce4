"""How many requests a second the evaluator decides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count, cycle

import pytest

from benchmarks.measuring import PER_SECOND, Measured
from kms_access.decisions.decision import Decision, Verdict
from kms_access.decisions.procedure import authorize
from kms_access.decisions.request_json import read_request
from tests.builders import DELEGATION, allow, deny, document, iam


def line(number: int) -> str:
    """A request with a key policy of three statements and three identity policies."""
    account = f"{111122223333 + number:012d}"
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    app, key_id = f"arn:aws:iam::{account}:role/app-{number}", f"{number:08x}-0000-0000-0000-0000"
    return json.dumps(
        {
            "principal": app,
            "action": "kms:Decrypt",
            "resource": f"arn:aws:kms:eu-central-1:{account}:key/{key_id}00000000",
            "account": account,
            "resourcePolicy": document(
                DELEGATION | {"Principal": root},
                allow(app, "kms:Encrypt"),
                deny(f"arn:aws:iam::{account}:role/x-{number}", "kms:*"),
            ),
            "identityPolicies": [
                document(iam("s3:*", f"arn:aws:s3:::data-{number}/*")),
                document(iam("kms:Decrypt", f"arn:aws:kms:*:{account}:key/{key_id}*")),
                document(iam("ec2:*")),
            ],
        }
    )


def decided(text: str) -> Decision:
    stated = read_request(text)
    return authorize(stated.request, stated.policies)


def different_lines() -> Iterator[str]:
    return cycle([line(number) for number in range(2_000)])


def test_authorize_with_parsed_policies(measured: Measured) -> None:
    stated = read_request(line(0))
    decision = measured(
        lambda: authorize(stated.request, stated.policies),
        name="`authorize`, parsed policies",
        unit=PER_SECOND,
        target="at least 30,000",
    )
    assert decision.verdict.value == "allowed"


def test_authorize_from_the_same_text(measured: Measured) -> None:
    text = line(0)
    found = measured(
        lambda: decided(text),
        name="parsing and `authorize`, one text again and again",
        unit=PER_SECOND,
        target="at least 8,000",
    )
    assert found.verdict is Verdict.ALLOWED


def test_authorize_from_different_texts(measured: Measured) -> None:
    lines = different_lines()
    found = measured(
        lambda: decided(next(lines)),
        name="parsing and `authorize`, every text different",
        unit=PER_SECOND,
        target="at least 8,000",
    )
    assert found.verdict is Verdict.ALLOWED


@pytest.mark.parametrize("size", [1_000])
def test_the_measure(measured: Measured, size: int) -> None:
    """What this machine does with plain Python: other figures can be held against it."""
    numbers = count()
    measured(
        lambda: sum(next(numbers) & 1 for _ in range(size)),
        name="for comparison: a loop of 1,000 steps of plain Python",
        unit=PER_SECOND,
    )
