"""Property values arrive as plain data, with unknowns marked and secrets unwrapped."""

from __future__ import annotations

import pytest

from kms_access.sources.pulumi.wire import UNKNOWN, contains_unknown, plain

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
SENTINELS = (
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
)


def secret(value: object) -> dict[str, object]:
    return {SIGNATURE: SECRET, "value": value}


@pytest.mark.parametrize("sentinel", SENTINELS)
def test_every_kind_of_unknown_is_recognised_alone_and_inside_a_string(sentinel: str) -> None:
    assert plain(sentinel) is UNKNOWN
    assert plain(f'{{"AWS": "{sentinel}"}}') is UNKNOWN
    assert plain([{"a": sentinel}, "b"]) == [{"a": UNKNOWN}, "b"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (secret("text"), "text"),
        (secret({"a": [secret("b"), 3600.0]}), {"a": ["b", 3600]}),
        (secret(SENTINELS[0]), UNKNOWN),
        ({SIGNATURE: SECRET, "ciphertext": "x"}, UNKNOWN),
        ("[secret]", UNKNOWN),
        ({SIGNATURE: "5cf8f73096256a8f31e491e813e4eb8e", "urn": "u", "id": "i"}, "i"),
        ({SIGNATURE: "5cf8f73096256a8f31e491e813e4eb8e", "urn": "u", "id": ""}, UNKNOWN),
        ({SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4", "value": "v"}, "v"),
        ({SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4"}, UNKNOWN),
        ({SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "path": "file"}, UNKNOWN),
        ({"__defaults": [], "a": [{"__defaults": ["b"], "b": "c"}]}, {"a": [{"b": "c"}]}),
        (1.5, 1.5),
        (30.0, 30),
        (True, True),
        (None, None),
    ],
)
def test_values_become_plain(value: object, expected: object) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


def test_unknowns_are_found_at_any_depth() -> None:
    assert contains_unknown(plain({"a": [{"b": SENTINELS[0]}]}))
    assert not contains_unknown(plain({"a": [{"b": "known"}], "c": None}))
