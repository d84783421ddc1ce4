"""What AWS would give each resource, as far as programs about keys and roles ask for it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policypack.mocked_program.made_up import MadeUp
from policypack.mocked_program.places import Place, is_known

_IN_IAM: Mapping[str, tuple[str, str]] = {
    # type: the word in its ARN, and the property that names it
    "aws:iam/role:Role": ("role", "name"),
    "aws:iam/user:User": ("user", "name"),
    "aws:iam/group:Group": ("group", "name"),
    "aws:iam/policy:Policy": ("policy", "name"),
    "aws:iam/instanceProfile:InstanceProfile": ("instance-profile", "name"),
    "aws-native:iam:Role": ("role", "roleName"),
    "aws-native:iam:User": ("user", "userName"),
    "aws-native:iam:Group": ("group", "groupName"),
    "aws-native:iam:ManagedPolicy": ("policy", "managedPolicyName"),
    "aws-native:iam:InstanceProfile": ("instance-profile", "instanceProfileName"),
}
_ID_IS_ARN = ("aws:iam/policy:Policy", "aws-native:iam:ManagedPolicy")
_ALIASES: Mapping[str, str] = {
    "aws:kms/alias:Alias": "name",
    "aws-native:kms:Alias": "aliasName",
}
_KEYS = frozenset(
    {
        "aws:kms/key:Key",
        "aws:kms/externalKey:ExternalKey",
        "aws:kms/replicaKey:ReplicaKey",
        "aws:kms/replicaExternalKey:ReplicaExternalKey",
        "aws-native:kms:Key",
        "aws-native:kms:ReplicaKey",
    }
)
_DOCUMENTS = frozenset({"assumeRolePolicy", "policy"})


@dataclass(frozen=True, slots=True)
class Made:
    """A resource after its registration: inputs with the name that it gets, id and outputs."""

    inputs: dict[str, Any]
    id: str
    outputs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attributes:
    """Makes up what AWS gives; what is not made up stays unknown to the program."""

    made_up: MadeUp
    autonaming: str
    """How resources without a name are named: "", "verbatim", or "unknown" for other settings."""

    def make(self, urn: str, type_: str, inputs: Mapping[str, Any], place: Place) -> Made:
        """The outputs of a new resource."""
        made = self._make(urn, type_, dict(inputs), place)
        if type_.startswith("aws:"):
            return Made(made.inputs, made.id, _with_documents_as_text(made.outputs))
        return made

    def _make(self, urn: str, type_: str, given: dict[str, Any], place: Place) -> Made:
        if type_ in _IN_IAM:
            return self._in_iam(urn, type_, given, place)
        if type_ in _KEYS:
            return self._key(urn, given, place)
        if type_ in _ALIASES:
            return self._alias(urn, type_, given, place)
        id_ = self.made_up.attribute(urn, "id")
        outputs = dict(given)
        package, _, rest = type_.partition(":")
        if package in ("aws", "aws-native"):
            service = re.split("[/:]", rest)[0]
            form = f"arn:{place.partition}:{service}:{place.region}:{place.account}:{{}}"
            outputs["arn"] = self.made_up.attribute(urn, "arn", form)
        return Made(given, id_, outputs)

    def _in_iam(self, urn: str, type_: str, given: dict[str, Any], place: Place) -> Made:
        word, property_ = _IN_IAM[type_]
        name = self._name(urn, given, property_, "")
        id_ = self.made_up.attribute(urn, "id")
        outputs = dict(given)
        path = given.get("path", "/")
        if name and is_known(path) and isinstance(path, str):
            outputs[property_] = name
            arn = f"arn:{place.partition}:iam::{place.account}:{word}{path or '/'}{name}"
            outputs["policyArn" if type_ == "aws-native:iam:ManagedPolicy" else "arn"] = arn
            id_ = arn if type_ in _ID_IS_ARN else name
        for attribute in ("uniqueId", "roleId", "policyId"):
            outputs[attribute] = self.made_up.attribute(urn, attribute)
        return Made(given, id_, outputs)

    def _key(self, urn: str, given: dict[str, Any], place: Place) -> Made:
        primary = given.get("primaryKeyArn")
        if isinstance(primary, str):
            # All keys of a multi-Region set share one id; of an unknown primary it is unknown.
            key_id = primary.rpartition("/")[2] if is_known(primary) else ""
        else:
            key_id = self.made_up.key_id(urn, multi_region=given.get("multiRegion") is True)
        if not key_id:
            return Made(given, self.made_up.attribute(urn, "id"), dict(given))
        arn = f"arn:{place.partition}:kms:{place.region}:{place.account}:key/{key_id}"
        return Made(given, key_id, {**given, "arn": arn, "keyId": key_id})

    def _alias(self, urn: str, type_: str, given: dict[str, Any], place: Place) -> Made:
        property_ = _ALIASES[type_]
        name = self._name(urn, given, property_, "alias/")
        if not name:
            return Made(given, self.made_up.attribute(urn, "id"), dict(given))
        arn = f"arn:{place.partition}:kms:{place.region}:{place.account}:{name}"
        return Made(given, name, {**given, property_: name, "arn": arn})

    def _name(self, urn: str, given: dict[str, Any], property_: str, start: str) -> str:
        """The name, which is added to the inputs as the provider does; "" if it is not known."""
        name = given.get(property_)
        if name is not None:
            return name if isinstance(name, str) and is_known(name) else ""
        prefix = given.get("namePrefix")
        if prefix is not None:
            known = isinstance(prefix, str) and is_known(prefix)
            return self.made_up.prefixed_name(urn, prefix) if known else ""
        logical = urn.split("::", 3)[3]
        stem = logical if logical.startswith(start) else f"{start}{logical}"
        if self.autonaming == "unknown":
            return ""
        made = stem if self.autonaming else self.made_up.generated_name(urn, stem)
        given[property_] = made
        return made


def _with_documents_as_text(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The provider gives documents back as text, also those that it takes as data."""
    result = dict(outputs)
    for key in _DOCUMENTS & outputs.keys():
        if isinstance(outputs[key], Mapping):
            del result[key]
            if is_known(outputs[key]):
                result[key] = json.dumps(outputs[key], separators=(",", ":"), sort_keys=True)
    inline = outputs.get("inlinePolicies")
    if isinstance(inline, list):
        result["inlinePolicies"] = [
            _with_documents_as_text(item) if isinstance(item, Mapping) else item for item in inline
        ]
    return result
