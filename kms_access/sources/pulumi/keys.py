"""KMS keys with their policies and aliases, and grants (K2, K148, K194)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from kms_access.inventory.arns import key_arn
from kms_access.inventory.grants import read_grant
from kms_access.inventory.key_policies import (
    DEFAULT_KEY_POLICY_LABEL,
    default_key_policy,
)
from kms_access.inventory.key_policies import (
    KEY_POLICY as KEY_POLICY_GRAMMAR,
)
from kms_access.inventory.model import Grant, Key, Policy
from kms_access.inventory.origin import NotCovered
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.document import PolicyDocument
from kms_access.policies.parsing import unreadable_policy
from kms_access.policies.text import Text, Unknown, Value, unknown_text
from kms_access.sources.pulumi.definition import Definition
from kms_access.sources.pulumi.documents import read_policy
from kms_access.sources.pulumi.key_facts import KeyFacts
from kms_access.sources.pulumi.links import Links, Unclear
from kms_access.sources.pulumi.tags import read_tags
from kms_access.sources.pulumi.tokens import ALIASES, GRANT, KEY_POLICY, KEYS
from kms_access.sources.pulumi.wire import UNKNOWN

_LABEL = "key policy"
_KEY_ARN = re.compile(r"arn:[a-z-]+:kms:([a-z0-9-]+):([0-9]{12}):key/.+", re.ASCII)


def read_keys(
    definitions: Iterable[Definition], links: Links, *, partial: bool
) -> tuple[tuple[Key, ...], tuple[Grant, ...], tuple[NotCovered, ...]]:
    """Keys, grants, and what could not be tied to a key.

    With `partial`, more resources follow: a key without a policy may still get a separate one,
    and every key further aliases.
    """
    reader = _KeyReader(links, partial)
    for definition in definitions:
        reader.read(definition)
    return reader.keys(), tuple(reader.grants), tuple(reader.not_covered)


class _KeyReader:
    def __init__(self, links: Links, partial: bool) -> None:
        self.links = links
        self.partial = partial
        self.grants: list[Grant] = []
        self.not_covered: list[NotCovered] = []
        self._keys: list[Definition] = []
        self._policies: dict[str, list[Policy]] = defaultdict(list)
        self._bypassing: set[str] = set()
        self._aliases: dict[Value, list[Value]] = defaultdict(list)
        self._outside: dict[Value, tuple[Definition, list[Policy]]] = {}
        self._about_outside: list[tuple[Value, Definition]] = []

    def read(self, definition: Definition) -> None:
        if definition.type in KEYS:
            self._keys.append(definition)
        elif definition.type == KEY_POLICY:
            self._read_key_policy(definition)
        elif definition.type in ALIASES:
            self._read_alias(definition)
        elif definition.type == GRANT:
            self.grants.append(self._grant(definition))

    def keys(self) -> tuple[Key, ...]:
        inside = [self._key(definition) for definition in self._keys]
        outside = [
            self._outside_key(arn, definition, policies)
            for arn, (definition, policies) in self._outside.items()
        ]
        for arn, definition in self._about_outside:
            # While resources follow, the ids of the stack's own keys are not known.
            if arn not in self._outside and not self.partial:
                reason = f'{definition.call} is about key "{arn}", which the stack does not define'
                self.not_covered.append(NotCovered(definition.origin, reason))
        return (*inside, *outside)

    def _read_key_policy(self, definition: Definition) -> None:
        policy = read_policy(definition, "policy", KEY_POLICY_GRAMMAR, _LABEL, self.links)
        if policy is None:
            return
        target = self.links.find(definition, "keyId", "key")
        if isinstance(target, Definition):
            self._policies[target.urn].append(policy)
            if self._flag(definition, "bypassPolicyLockoutSafetyCheck"):
                self._bypassing.add(target.urn)
        elif target is None or isinstance(target, Unclear):
            reason = target.reason if target else f"{definition.call} names no key"
            self.not_covered.append(
                NotCovered(definition.origin, f"{reason}, so its policy belongs to no key", True)
            )
        else:
            arn = _arn_of(target, definition)
            self._outside.setdefault(arn, (definition, []))[1].append(policy)

    def _read_alias(self, definition: Definition) -> None:
        target = self.links.find(definition, "targetKeyId", "key")
        if target is None or definition.name is None:
            return
        if isinstance(target, Definition):
            self._aliases[target.urn].append(definition.name)
        elif not isinstance(target, Unclear):
            arn = _arn_of(target, definition)
            self._aliases[arn].append(definition.name)
            self._about_outside.append((arn, definition))
        else:
            self.not_covered.append(
                NotCovered(definition.origin, f"{target.reason}, so its key is not known", True)
            )

    def _grant(self, definition: Definition) -> Grant:
        target = self.links.find(definition, "keyId", "key")
        if isinstance(target, Definition) and target.arn is not None:
            arn = target.arn
        elif isinstance(target, (str, Text)):
            arn = _arn_of(target, definition)
            self._about_outside.append((arn, definition))
            if self.partial and self.links.has_alias(target):
                # Which key it is shows later; that the stack names it is enough for rules by alias.
                self._outside.setdefault(arn, (definition, [_without_statements(definition)]))
        else:
            arn = unknown_text(f"the keyId of {definition.unique_call}")
        node: dict[str, object] = {
            "GranteePrincipal": self._principal(definition, "granteePrincipal"),
            "RetiringPrincipal": self._principal(definition, "retiringPrincipal"),
            "IssuingAccount": definition.place.account,
            "Operations": _operations(definition),
            "Constraints": _constraints(definition),
        }
        node = {field: value for field, value in node.items() if value is not None}
        label = f"grant {definition.resource.name}"
        return read_grant(node, label, definition.origin, arn)

    def _principal(self, definition: Definition, key: str) -> Value | None:
        found = self.links.find_principal(definition, key)
        if isinstance(found, Unclear):
            return unknown_text(f"the {key} of {definition.unique_call}")
        return found

    def _key(self, definition: Definition) -> Key:
        place = definition.place
        facts = KeyFacts(definition, self.links)
        bypasses = self._flag(definition, "bypassPolicyLockoutSafetyCheck")
        return Key(
            origin=definition.origin,
            arn=definition.arn or "",
            account=place.account,
            region=place.region,
            partition=place.partition,
            policies=self._policies_of(definition),
            aliases=self._aliases_of(definition, definition.urn),
            tags=self._tags(definition),
            description=definition.text("description") or "",
            spec=facts.spec,
            usage=facts.usage,
            origin_of_material=facts.origin_of_material,
            multi_region=facts.is_replica or self._flag(definition, "multiRegion"),
            bypasses_lockout_check=bypasses or definition.urn in self._bypassing,
            deployers=(place.deployer,) if place.deployer else (),
        )

    def _tags(self, definition: Definition) -> Mapping[str, Value]:
        tags, unclear = read_tags(definition)
        if unclear:
            self.not_covered.append(NotCovered(definition.origin, unclear, True))
        return tags

    def _flag(self, definition: Definition, key: str) -> bool:
        flag = definition.flag(key)
        if flag is None:
            what = f"the {key} of {definition.call}"
            reason = f"{what} is not known before the deployment; false is assumed"
            self.not_covered.append(NotCovered(definition.origin, reason, True))
        return flag is True

    def _aliases_of(self, definition: Definition, key: Value) -> tuple[Value, ...]:
        further = f"an alias of {definition.unique_call} that may follow"
        return (*self._aliases[key], *([unknown_text(further)] if self.partial else []))

    def _outside_key(self, arn: Value, definition: Definition, policies: list[Policy]) -> Key:
        """A key that is defined elsewhere, of which the stack sets the policy."""
        place = definition.place
        match = _KEY_ARN.fullmatch(arn) if isinstance(arn, str) else None
        region, account = match.groups() if match else (place.region, place.account)
        return Key(
            origin=definition.origin,
            arn=arn,
            account=account,
            region=region,
            partition=place.partition,
            policies=tuple(policies),
            aliases=self._aliases_of(definition, arn),
            spec=None,
            usage=None,
            origin_of_material=None,
            bypasses_lockout_check=self._flag(definition, "bypassPolicyLockoutSafetyCheck"),
            deployers=(place.deployer,) if place.deployer else (),
        )

    def _policies_of(self, definition: Definition) -> tuple[Policy, ...]:
        separate = self._policies[definition.urn]
        own_input = definition.inputs.get(definition.property_name("policy"))
        if separate and own_input in (None, ""):
            # What the key then shows as its policy is the separate one.
            return tuple(separate)
        own = read_policy(definition, "policy", KEY_POLICY_GRAMMAR, _LABEL, self.links)
        if own is None:
            own = Policy(DEFAULT_KEY_POLICY_LABEL, self._default(definition), definition.origin)
        return (own, *separate)

    def _default(self, definition: Definition) -> PolicyDocument:
        if self.partial:
            text = f"the policy of {definition.call}, which may follow as a resource of its own"
            return unreadable_policy(
                KEY_POLICY_GRAMMAR, Reason(text, ReasonKind.UNKNOWN_VALUE, "K148")
            )
        return default_key_policy(definition.place.partition, definition.place.account)


def _without_statements(definition: Definition) -> Policy:
    return Policy(_LABEL, PolicyDocument(KEY_POLICY_GRAMMAR, "2012-10-17", ()), definition.origin)


def _arn_of(key: Value, definition: Definition) -> Value:
    """The ARN of a key outside the stack that is given by its id or ARN."""
    if isinstance(key, Text) or key.startswith("arn:"):
        return key
    place = definition.place
    return key_arn(place.partition, place.region, place.account, key)


def _operations(definition: Definition) -> object:
    operations = definition.items("operations")
    if operations is UNKNOWN:
        return unknown_text(f"the operations of {definition.unique_call}")
    return [
        unknown_text(f"an operation of {definition.unique_call}") if item is UNKNOWN else item
        for item in operations
    ]


def _constraints(definition: Definition) -> object:
    """The provider's list of constraint blocks as the one object that the KMS API takes."""
    blocks = definition.items("constraints")
    unknown = unknown_text(f"the constraints of {definition.unique_call}")
    if blocks is UNKNOWN:
        return unknown
    merged: dict[str, object] = {}
    for block in blocks:
        if not isinstance(block, Mapping):
            return unknown
        for field, pairs in block.items():
            if pairs is not None:
                merged[field[:1].upper() + field[1:]] = _pairs(pairs, definition)
    return merged or None


def _pairs(pairs: object, definition: Definition) -> object:
    unknown = Text((Unknown(f"an encryption context of {definition.unique_call}"),))
    if isinstance(pairs, Mapping):
        return {key: unknown if item is UNKNOWN else item for key, item in pairs.items()}
    return unknown if pairs is UNKNOWN else pairs
