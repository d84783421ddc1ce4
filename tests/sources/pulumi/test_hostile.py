"""Whatever a program or an engine puts into properties, reading a stack ends with an inventory."""

from __future__ import annotations

from random import Random

import pytest

from kms_access.sources.pulumi import StackResource, read_stack
from kms_access.sources.pulumi.tokens import KEYS, READ, REFERRED_TO

from .stack import DECRYPT, KEY_ARN, KEY_ID, OF_ACCOUNT, PROVIDER, UNKNOWN, document, statement
from .test_tokens import COMPUTED, PROPERTIES

TOKENS = [
    *sorted(READ | REFERRED_TO),
    "aws:cloudformation/stack:Stack",
    "command:local:Command",
]
SECRET = {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    "value": {"a": UNKNOWN},
}
LEAVES = [
    *(None, True, 0.5, 7.0, SECRET, UNKNOWN, "[secret]", "", "a", "b", "{", "a-1a2b3c4"),
    *("arn:", "arn:::::", KEY_ARN, KEY_ID, "alias/a", "arn:aws:iam::111122223333:role/a"),
    *(DECRYPT, document(statement(UNKNOWN)), document({}), "\ud800", "ä\0"),
]
NAMES = ["a", "b", "a::b"]


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def value(self, depth: int = 0) -> object:
        kind = self.random.random()
        if kind < 0.7 or depth > 3:
            return self.random.choice(LEAVES)
        size = self.random.randrange(4)
        if kind < 0.85:
            return [self.value(depth + 1) for _ in range(size)]
        keys = ["name", "policy", "policyDocument", "Statement", "key", "value", "a"]
        return {self.random.choice(keys): self.value(depth + 1) for _ in range(size)}

    def urn(self) -> str:
        return f"urn:pulumi:dev::shop::{self.random.choice(TOKENS)}::{self.random.choice(NAMES)}"

    def resource(self) -> StackResource:
        urn = self.urn()
        token = urn.split("::")[2]
        named = PROPERTIES.get(token, "templateBody typeName").split()
        keys = [*named, *COMPUTED.get(token, "arn keyId").split(), "id"]

        def properties(most: int) -> dict[str, object]:
            chosen = self.random.sample(keys, min(len(keys), self.random.randrange(most)))
            return {key: self.value() for key in chosen}

        depends = {key: [self.urn() for _ in range(self.random.randrange(3))] for key in keys}
        provider = OF_ACCOUNT if self.random.random() < 0.5 else properties(3)
        provider_urn = self.random.choice(["", PROVIDER])
        return StackResource(
            urn, token, properties(8), properties(8), depends, provider, provider_urn
        )


@pytest.mark.parametrize("seed", range(40))
def test_reading_never_fails_and_keeps_every_key(seed: int) -> None:
    maker = Maker(seed)
    for _ in range(10):
        stack = [maker.resource() for _ in range(maker.random.randrange(12))]
        inventory = read_stack(
            stack, preview=maker.random.random() < 0.5, partial=maker.random.random() < 0.5
        )
        places = {key.origin.identity for key in inventory.keys}
        places |= {gap.origin.identity for gap in inventory.not_covered}
        assert {r.urn for r in stack if r.type in KEYS} <= places
