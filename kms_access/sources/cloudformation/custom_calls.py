"""`Custom::AWS`: API calls that a deployment makes, written as JSON text in a property.

CloudFormation has no resource for grants (K107), so CDK apps create them by such calls.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kms_access.inventory.origin import NotCovered
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.arns import arn_segments
from kms_access.policies.text import Text, Unknown, Value, concat, describe_unknowns
from kms_access.sources.cloudformation.deployment import Deployment, Resource

CUSTOM_CALL = "Custom::AWS"

_WHILE_THE_STACK_LIVES = ("Create", "Update")
_PACKAGE = "@aws-sdk/client-"
_COMMAND = "command"
_FIRST_MARK = 0xF2000
_BREAKS_OUT = ('"', "\\")
"""Characters with which a value that is not known could change what a call says."""


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call as it is written: `service` and `action` in lower case, as CDK accepts them in
    several spellings. `uncertain` says why it may not be made, or not as it is written."""

    resource: Resource
    service: str
    action: str
    parameters: Mapping[str, Any]
    account: Value
    region: Value
    shown: str
    uncertain: Reason | None

    @property
    def is_dry_run(self) -> bool:
        """Whether KMS only says what it would do."""
        return is_true(self.parameters.get("DryRun"))


def is_true(node: Any) -> bool:
    """A switch of a call: JSON's, or text, as older libraries write it."""
    return node is True or (isinstance(node, str) and node.lower() in ("true", "true:boolean"))


def read_calls(deployment: Deployment) -> Iterator[ApiCall | NotCovered]:
    """The calls that are made while the stack lives, each once; what cannot be read blocks.

    A call in `Delete` is made when the resource goes, so it changes nothing that this deployment
    leaves behind.
    """
    for resource in deployment.of_kind(CUSTOM_CALL):
        if resource.properties is None:
            reason = "an API call that a macro fills in"
            yield NotCovered(resource.origin, reason, may_change_key_access=True)
            continue
        texts: dict[Value, str] = {}
        for name in _WHILE_THE_STACK_LIVES:
            text = deployment.value(resource, name)
            if text:
                texts.setdefault(text, name)
        for text, name in texts.items():
            yield _call(resource, name, text)


def _call(resource: Resource, name: str, text: Value) -> ApiCall | NotCovered:
    node = _read(text)
    if not isinstance(node, Mapping):
        reason = f"the API call in {name} cannot be read"
        return NotCovered(resource.origin, reason, may_change_key_access=True)
    service, action = node.get("service"), node.get("action")
    if not isinstance(service, str) or not isinstance(action, str):
        reason = f"the API call in {name} is not known"
        return NotCovered(resource.origin, reason, may_change_key_access=True)
    environment = resource.stack.environment
    account, region = environment.account, node.get("region", environment.region)
    role = node.get("assumedRoleArn")
    if isinstance(role, (str, Text)):
        segments = arn_segments(role)
        account = segments[4] if segments else Text((Unknown(f"the account of {role}"),))
    parameters = node.get("parameters")
    return ApiCall(
        resource,
        service.lower().removeprefix(_PACKAGE),
        action.lower().removesuffix(_COMMAND),
        parameters if isinstance(parameters, Mapping) else {},
        account,
        region if isinstance(region, (str, Text)) else environment.region,
        f"{service} {action}",
        resource.uncertain or _doubt(resource, name, text, node),
    )


def _doubt(resource: Resource, name: str, text: Value, node: Mapping[str, Any]) -> Reason | None:
    place = f"the API call in {name} of {resource.stack.identity_of(resource.logical_id)}"
    unknowns = text.unknowns if isinstance(text, Text) else ()
    loose = [u for u in unknowns if any(u.can_hold(character) for character in _BREAKS_OUT)]
    if loose:
        what = describe_unknowns(Text(tuple(loose)))
        return Reason(f"what {place} says, by {what}", ReasonKind.UNKNOWN_VALUE)
    if name != _WHILE_THE_STACK_LIVES[0]:
        return Reason(f"whether {place} is made", ReasonKind.UNKNOWN_VALUE)
    if node.get("ignoreErrorCodesMatching"):
        return Reason(f"whether {place} works, as its errors are ignored", ReasonKind.UNKNOWN_VALUE)
    return None


def _read(text: Value) -> Any:
    """The JSON of a call; its unknown parts come back inside the strings."""
    marks: dict[str, Unknown] = {}
    pieces = []
    for part in (text,) if isinstance(text, str) else text.parts:
        if isinstance(part, Unknown):
            mark = chr(_FIRST_MARK + len(marks))
            marks[mark] = part
            part = mark
        pieces.append(part)
    try:
        return _restored(json.loads("".join(pieces), object_pairs_hook=_object), marks)
    except (ValueError, RecursionError):
        return None


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands more than once")
    return found


def _restored(node: Any, marks: Mapping[str, Unknown]) -> Any:
    if isinstance(node, str):
        return concat(marks.get(character, character) for character in node)
    if isinstance(node, list):
        return [_restored(item, marks) for item in node]
    if isinstance(node, dict):
        return {key: _restored(value, marks) for key, value in node.items()}
    return node
