"""One resource of the program: inputs and outputs joined, with its place and canonical ARN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kms_access.inventory.arns import iam_arn, key_arn, unknown_key_id
from kms_access.inventory.origin import Origin
from kms_access.policies.text import NAME_CHARACTER, PATH_CHARACTER, Text, Unknown, Value
from kms_access.sources.pulumi.names import GeneratedNames, is_real, name_with_prefix
from kms_access.sources.pulumi.places import Place
from kms_access.sources.pulumi.resource import StackResource
from kms_access.sources.pulumi.tokens import KEY, NAMED
from kms_access.sources.pulumi.wire import UNKNOWN, Marker, contains_unknown, plain

_IAM_KINDS = ("role", "user", "group", "policy")


@dataclass(frozen=True, slots=True)
class Definition:
    """A resource with its properties as plain data.

    `created_later` is true while the resource does not exist and this operation will not make it
    either (a preview): then no literal anywhere can be its id. `arn` and `name` are None for types
    that nothing refers to.
    """

    resource: StackResource
    inputs: Mapping[str, object]
    outputs: Mapping[str, object]
    place: Place
    created_later: bool
    arn: Value | None = None
    name: Value | None = None

    @property
    def urn(self) -> str:
        """The identity of the resource."""
        return self.resource.urn

    @property
    def type(self) -> str:
        """The type token."""
        return self.resource.type

    @property
    def kind(self) -> str:
        """What a person calls a resource of this type: `key`, `role`, `rolePolicy`."""
        return self.type.partition("/")[2].partition(":")[0] or self.type

    @property
    def call(self) -> str:
        """Kind and name for messages: `role "api"`."""
        return f'{self.kind} "{self.resource.name}"'

    @property
    def origin(self) -> Origin:
        """The place of the definition."""
        return Origin(self.urn, self.resource.name, self.resource.stack)

    @property
    def is_left_out(self) -> bool:
        """Whether `--target` leaves a new resource out: the engine shows it without properties.

        A provider with unknown settings shows empty outputs as well, but then the resource is made.
        """
        if self.inputs or self.outputs:
            return False
        return not contains_unknown(plain(self.resource.provider))

    def value(self, key: str) -> object:
        """The property as plain data: None if absent, `UNKNOWN` if it cannot be known yet.

        A known output wins over the input, and the input over an unknown output. An unknown
        output of an input that the program leaves out is the provider's default, so: absent.
        """
        output = self.outputs.get(key)
        if output is not None and not contains_unknown(output):
            return output
        return self.inputs.get(key) if self.inputs else output

    def text(self, key: str) -> Value | None:
        """A property that holds a string; what is no single value counts as unknown."""
        value = self.value(key)
        if value is UNKNOWN or isinstance(value, (list, Mapping)):
            return Text((Unknown(f"the {key} of {self.unique_call}"),))
        if isinstance(value, Text):
            return value
        return None if value is None or value == "" else str(value)

    def flag(self, key: str) -> bool | None:
        """A property that holds a boolean, which may arrive as text; None if it is not known."""
        value = self.value(key)
        if value is UNKNOWN:
            return None
        return value is True or value == "true"

    def items(self, key: str) -> list[object] | Literal[Marker.UNKNOWN]:
        """The elements that the program lists.

        Outputs are no help here: AWS reports what other resources of the stack attached, too.
        """
        value = self.inputs.get(key) if self.inputs else self.outputs.get(key)
        if value is UNKNOWN:
            return UNKNOWN
        items = value if isinstance(value, list) else [value]
        return [item for item in items if item is not None and item != ""]

    def tags(self) -> Mapping[str, Value]:
        """The tags, with those that the provider adds."""
        for key in ("tagsAll", "tags"):
            tags = self.value(key)
            if isinstance(tags, Mapping):
                return {
                    name: Text((Unknown(f"the tag {name} of {self.unique_call}"),))
                    if value is UNKNOWN
                    else value
                    if isinstance(value, Text)
                    else str(value)
                    for name, value in tags.items()
                }
        return {}

    def dependencies(self, key: str) -> Sequence[str]:
        """The URNs that the value of an input comes from."""
        return self.resource.property_dependencies.get(key, ())

    @property
    def unique_call(self) -> str:
        """Like `call`, in words that no other resource of the stack shares."""
        return f"{self.kind} {self.resource.qualified_name}"


def define(
    resource: StackResource, place: Place, names: GeneratedNames, *, preview: bool
) -> Definition:
    """Join what is known of one resource; `preview` says that nothing will be created."""
    inputs, outputs = (
        {key: plain(value, names.replace) for key, value in properties.items()}
        for properties in (resource.inputs, resource.outputs)
    )
    created_later = preview and not is_real(resource.outputs)
    definition = Definition(resource, inputs, outputs, place, created_later)
    if resource.type == KEY:
        return replace(definition, arn=_key_arn(definition))
    if resource.type not in NAMED:
        return definition
    name = _name(definition)
    arn = _iam_arn(definition, name) if definition.kind in _IAM_KINDS else None
    return replace(definition, arn=arn, name=name)


def _key_arn(definition: Definition) -> Value:
    arn = definition.outputs.get("arn")
    if isinstance(arn, str):
        return arn
    place = definition.place
    key_id = definition.outputs.get("keyId")
    if not isinstance(key_id, str):
        unknown = unknown_key_id(definition.resource.qualified_name)
        key_id = Text((replace(unknown, matches_no_literal=definition.created_later),))
    return key_arn(place.partition, place.region, place.account, key_id)


def _iam_arn(definition: Definition, name: Value) -> Value:
    arn = definition.outputs.get("arn")
    if isinstance(arn, str):
        return arn
    path = definition.value("path")
    if path is UNKNOWN:
        path = Text((Unknown(f"the path of {definition.unique_call}", PATH_CHARACTER),))
    if not isinstance(path, (str, Text)) or path == "":
        path = "/"
    place = definition.place
    return iam_arn(place.partition, place.account, definition.kind, path, name)


def _name(definition: Definition) -> Value:
    name = definition.value("name")
    if isinstance(name, Text) or (isinstance(name, str) and name):
        return name
    later = definition.created_later
    if name is UNKNOWN:
        unknown = Unknown(f"the name of {definition.unique_call}", NAME_CHARACTER, unique=True)
        return Text((unknown,))
    return name_with_prefix(
        definition.text("namePrefix") or "", definition.unique_call, not_created_yet=later
    )
