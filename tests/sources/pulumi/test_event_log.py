"""Event logs; those in `event_logs` were written by the real engine (3.260), with its debug lines
and policy events left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kms_access.decisions.access_map import access_map
from kms_access.decisions.lookup import find_key, find_subject
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.model import Inventory
from kms_access.sources import SourceError, load

LOGS = Path(__file__).parent / "event_logs"


def state(inventory: Inventory, principal: str, key: str) -> AccessState:
    facts = access_map(inventory)
    subject, found = find_subject(facts, principal), find_key(facts, key)
    return facts.evaluator.access(subject, found, "kms:Decrypt").state


def test_a_preview_with_names_is_decided() -> None:
    inventory = load([LOGS / "names.jsonl"])
    # The generated name of this preview stands for the name to come.
    assert state(inventory, "api", "k") is AccessState.ALLOWED
    assert state(inventory, "other", "k") is AccessState.IMPLICITLY_DENIED
    places = {key.origin.label: (key.account, key.region) for key in inventory.keys}
    # The key that the program only reads is none of the stack.
    assert places == {
        "k": ("111122223333", "eu-central-1"),
        "abroad": ("444455556666", "us-east-1"),
    }
    assert inventory.not_covered == ()
    (key,) = [key for key in inventory.keys if key.origin.label == "k"]
    # A secret of the program.
    assert str(key.description) == "<the description of key aws:kms/key:Key::k>"


def test_what_a_preview_does_not_know_stays_undecided() -> None:
    inventory = load([LOGS / "helper.jsonl"], account="111122223333")
    assert state(inventory, "api", "payments") is AccessState.UNDECIDED


def test_an_update_is_decided() -> None:
    inventory = load([LOGS / "update.jsonl"])
    assert state(inventory, "api", "payments") is AccessState.ALLOWED
    (key,) = [key for key in inventory.keys if key.origin.label == "payments"]
    assert isinstance(key.arn, str)


def test_a_log_of_both_is_read_as_the_update(tmp_path: Path) -> None:
    path = tmp_path / "both.jsonl"
    path.write_text((LOGS / "helper.jsonl").read_text() + (LOGS / "update.jsonl").read_text())
    assert load([path]) == load([LOGS / "update.jsonl"])


def changed(tmp_path: Path, kind: str, **fields: object) -> Path:
    """A log with other fields in its events of one kind."""
    path = tmp_path / "log"
    lines = []
    for line in (LOGS / "names.jsonl").read_text().splitlines():
        event = json.loads(line)
        if kind in event:
            event[kind].update(fields)
        lines.append(json.dumps(event))
    path.write_text("\n".join(lines))
    return path


def test_resources_that_go_are_not_there(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = []
    for line in (LOGS / "names.jsonl").read_text().splitlines():
        event = json.loads(line)
        for kind in ("resourcePreEvent", "resOutputsEvent"):
            metadata = event.get(kind, {}).get("metadata", {})
            if metadata.get("urn", "").endswith("Key::abroad"):
                metadata |= {"op": "delete", "old": metadata["new"], "new": None}
        lines.append(json.dumps(event))
    path.write_text("\n".join(lines))
    assert [key.origin.label for key in load([path]).keys] == ["k"]


def test_what_is_only_refreshed_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "log"
    text = (LOGS / "names.jsonl").read_text()
    assert '"op":"read"' in text
    path.write_text(text.replace('"op":"read"', '"op":"refresh"'))
    assert sorted(key.origin.label for key in load([path]).keys) == ["abroad", "k"]


def test_an_operation_that_failed_may_miss_resources(tmp_path: Path) -> None:
    path = changed(tmp_path, "summaryEvent", result="failed")
    (gap,) = load([path]).not_covered
    assert gap.may_change_key_access
    assert gap.reason == (
        'the operation of the event log ended with "failed", so resources may be missing'
    )


def test_a_log_without_an_end_may_miss_resources(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = (LOGS / "names.jsonl").read_text().splitlines()
    path.write_text("\n".join(line for line in lines if "summaryEvent" not in line))
    (gap,) = load([path]).not_covered
    assert gap.may_change_key_access
    assert "ends before the operation has ended" in gap.reason


FIRST = '{"sequence": 0, "timestamp": 1}\n'
STEP = '{"resourcePreEvent": %s}'


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", ":  the event log tells of no resource"),
        ("{", ":2:2: no JSON: "),
        ("[]", ":2: an event is no object"),
        (STEP % "{}", ':2: "resourcePreEvent" has no "metadata" with an "urn"'),
        (
            STEP % '{"metadata": {"op": "create", "urn": "urn:pulumi:a::b::c::d"}}',
            ':2: the step of "urn:pulumi:a::b::c::d" has no "new" state',
        ),
        (
            STEP % '{"metadata": {"op": "same", "urn": "u", "new": {"type": "t", "inputs": [1]}}}',
            ':2: "inputs" of "u" is no object',
        ),
    ],
)
def test_a_log_that_cannot_be_read(tmp_path: Path, lines: str, message: str) -> None:
    path = tmp_path / "log"
    path.write_text(FIRST + lines)
    with pytest.raises(SourceError) as caught:
        load([path])
    assert f"{path}{message}".replace(":  ", ": ") in str(caught.value)


def test_a_log_is_read_alone() -> None:
    with pytest.raises(SourceError, match="is read alone"):
        load([LOGS / "names.jsonl", LOGS / "update.jsonl"])
