"""Saved access maps: what is written is read back, and nothing else is taken."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kms_access.decisions.access_facts import AccessFacts, facts_of_inventory
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.saved_map import is_saved_map, load_saved_map, saved
from kms_access.inventory.actions import KMS_ACTIONS
from kms_access.inventory.input_error import InputError
from kms_access.inventory.model import Inventory
from kms_access.policies.answers import ReasonKind
from kms_access.policies.text import Text, Unknown
from tests.builders import ACCOUNT, DELEGATION, allow, deny, grant, iam, key, role, role_arn, user

SCHEMA = json.loads(
    (resources.files("kms_access.decisions") / "access-map.schema.json").read_text("utf-8")
)


def facts() -> AccessFacts:
    """Facts of every kind: all states, all forms of conditions, sessions and detours."""
    via = {"StringEquals": {"kms:ViaService": ["s3.eu-central-1.amazonaws.com", "x"]}}
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/debug"
    unknown = Text((Unknown("the parameter Reader"),))
    data = key(
        "data",
        DELEGATION,
        allow(role_arn("app"), "kms:*", Condition=via),
        allow(session, "kms:Encrypt"),
        allow("*", "kms:Verify"),
        deny(
            "*",
            "kms:Decrypt",
            Condition={
                "Bool": {"aws:SecureTransport": "false"},
                "IpAddress": {"aws:SourceIp": "1.2.3.4"},
            },
        ),
    )
    other = key("other", allow({"AWS": unknown}, "kms:Decrypt"))
    given = grant(
        data,
        GranteePrincipal=role_arn("worker"),
        Operations=["Encrypt"],
        Constraints={"EncryptionContextEquals": {"a": "b"}},
    )
    identities = (role("reader", iam("kms:Decrypt")), user("alice", iam("kms:PutKeyPolicy")))
    return facts_of_inventory(Inventory((data, other), identities, (given,)))


def written(folder: Path, text: str) -> Path:
    path = folder / "map.json"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    before = facts()
    text = saved(before)
    after = load_saved_map(written(tmp_path, text))
    assert after == before
    assert saved(after) == text
    assert {held.state for held in after.held.values()} == {
        state for state in AccessState if not state.is_denied
    }
    assert any(named.role for named in after.principals.values())
    assert any(place.way for place in after.held)


def test_proofs_are_kept_if_they_are_asked_for(tmp_path: Path) -> None:
    before = facts()
    place = next(p for p in before.held if (p.principal, p.action) == ("App/reader", "kms:Decrypt"))
    without = load_saved_map(written(tmp_path, saved(before)))
    assert without.prove(place) == ()
    within = load_saved_map(written(tmp_path, saved(before, proofs=True)))
    assert [hop.text for hop in within.prove(place)] == [hop.text for hop in before.prove(place)]
    assert within.prove(place)[0].text.startswith("key policy")


def test_a_map_is_sorted_and_the_order_of_definitions_does_not_matter() -> None:
    keys = key("one", DELEGATION), key("two", DELEGATION)
    people = user("alice", iam("kms:Decrypt")), user("bob", iam("kms:*"))
    texts = {
        saved(facts_of_inventory(Inventory(ks, ps)))
        for ks in (keys, keys[::-1])
        for ps in (people, people[::-1])
    }
    assert len(texts) == 1
    document = json.loads(texts.pop())
    for field in ("keys", "principals"):
        assert document[field] == sorted(document[field], key=lambda one: one["identity"])
    places = [(e["key"], e["principal"], e["way"], e["actions"]) for e in document["access"]]
    assert places == sorted(places)


@pytest.mark.parametrize("proofs", [False, True])
def test_the_schema_describes_what_is_written(proofs: bool) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(saved(facts(), proofs=proofs)), SCHEMA)


def test_the_schema_names_the_states_and_reasons_of_the_code() -> None:
    states = SCHEMA["$defs"]["access"]["properties"]["state"]["enum"]
    assert set(states) == {state.value for state in AccessState if not state.is_denied}
    unsettled = SCHEMA["$defs"]["condition"]["oneOf"][2]["properties"]["open"]["enum"]
    assert set(unsettled) == {kind.value for kind in ReasonKind}
    assert all(info.name.startswith("kms:") for info in KMS_ACTIONS.values())


Change = Callable[[dict[str, Any]], object]


def _first(document: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = document["access"][0]
    return entry


BROKEN: dict[str, tuple[Change, str]] = {
    "no format": (lambda d: d.pop("format"), 'the field "format" is missing'),
    "another format": (lambda d: d.update(format="x"), 'the format is not "kms-access map"'),
    "another version": (lambda d: d.update(version=2), "the version is not 1"),
    "a version as text": (lambda d: d.update(version="1"), "the version is not 1"),
    "no access": (lambda d: d.pop("access"), 'the field "access" is missing'),
    "another field": (lambda d: d.update(more=1), 'unknown field "more", accepted are format,'),
    "access that is no list": (lambda d: d.update(access={}), "a list is expected"),
    "an entry that is a text": (lambda d: d["access"].insert(0, "x"), "an object with key,"),
    "an entry without a state": (lambda d: _first(d).pop("state"), 'the field "state" is missing'),
    "another state": (lambda d: _first(d).update(state="denied"), '"denied" is not known'),
    "an unknown key": (lambda d: _first(d).update(key="K"), '"K" is not among the keys'),
    "an unknown principal": (
        lambda d: _first(d).update(principal="P"),
        '"P" is not among the principals',
    ),
    "an unknown action": (
        lambda d: _first(d).update(actions=["kms:X"]),
        '"kms:X" is no KMS action',
    ),
    "an action twice": (lambda d: d["access"].append(_first(d)), "stands there twice"),
    "a condition that is false": (lambda d: _first(d).update(condition=False), "no condition, "),
    "an empty condition": (lambda d: _first(d).update(condition={"any": []}), "no condition is in"),
    "another kind of reason": (
        lambda d: _first(d).update(condition={"open": "x", "text": "y"}),
        '"x" is not known, accepted are "request"',
    ),
    "a number as a value": (
        lambda d: _first(d).update(condition={"key": "k", "operator": "o", "values": [1]}),
        "text is expected",
    ),
    "a key twice": (lambda d: d["keys"].append(d["keys"][0]), "stands there twice"),
    "a key without names": (lambda d: d["keys"][0].pop("names"), 'the field "names" is missing'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_map_is_an_error_with_its_place(name: str, tmp_path: Path) -> None:
    change, message = BROKEN[name]
    document = json.loads(saved(facts()))
    change(document)
    path = written(tmp_path, json.dumps(document, indent=1))
    with pytest.raises(InputError) as caught:
        load_saved_map(path)
    assert message in caught.value.message
    assert caught.value.file == path.as_posix()
    assert caught.value.line
    assert "kms-access map --output" in caught.value.help


def test_the_schema_refuses_what_the_reader_refuses() -> None:
    """Apart from what a schema cannot say: what is known, and what stands there twice."""
    said_by_the_reader_alone = {"an unknown key", "an unknown principal", "an unknown action"}
    for name, (change, message) in BROKEN.items():
        if name in said_by_the_reader_alone or "twice" in message:
            continue
        document = json.loads(saved(facts()))
        change(document)
        assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)), name


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expecting value"),
        (b'{"format": "kms-access map"', "expecting ',' delimiter"),
        (b"[]", "an object with format, version is expected"),
        (b'{"format": "kms-access map", "version": 1, "version": 1}', '"version" stands there'),
        (b"\xff", "is not UTF-8"),
        (b"[" * 5_000, "nested more than"),
    ],
)
def test_what_is_no_map_is_an_error(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_saved_map(path)


def test_a_missing_map_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: no such file"):
        load_saved_map(tmp_path / "map.json")


def test_a_map_is_told_from_a_template(tmp_path: Path) -> None:
    assert is_saved_map(written(tmp_path, saved(facts())))
    assert not is_saved_map(written(tmp_path, '{"Resources": {}}'))
    assert not is_saved_map(tmp_path)
    assert not is_saved_map(tmp_path / "nothing")
