"""One resource of the program: inputs and outputs joined, with its place and canonical ARN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kms_access.inventory.arns import iam_arn, key_arn, unknown_key_id
from kms_access.inventory.origin import Origin
from kms_access.policies.arns import arn_segments
from kms_access.policies.text import (
    NAME_CHARACTER,
    PATH_CHARACTER,
    Text,
    Unknown,
    Value,
    concat,
    split,
)
from kms_access.sources.pulumi.names import GeneratedNames, is_real, name_with_prefix
from kms_access.sources.pulumi.places import Place
from kms_access.sources.pulumi.resource import StackResource
from kms_access.sources.pulumi.tokens import (
    ENTITIES,
    NAMES,
    REPLICAS,
    SERVICE_LINKED_ROLES,
    property_name,
)
from kms_access.sources.pulumi.wire import UNKNOWN, Marker, contains_unknown, plain

_IN_IAM = ("role", "user", "group", "policy", "instance-profile", "saml-provider")
_SCHEME = "https://"


@dataclass(frozen=True, slots=True)
class Definition:
    """A resource with its properties as plain data.

    Properties go by the names that the types of `aws:` have; types that call them otherwise, as
    those of `aws-native:`, are translated (`property_name`).
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
        classic = self.type.partition("/")[2].partition(":")[0]
        last = self.type.rpartition(":")[2]
        return classic or last[:1].lower() + last[1:]

    @property
    def entity(self) -> str:
        """What others refer to: `key`, `role`, `policy`; "" for what nothing refers to."""
        return ENTITIES.get(self.type, "")

    @property
    def call(self) -> str:
        """Kind and name for messages: `role "api"`."""
        return f'{self.kind} "{self.resource.name}"'

    @property
    def origin(self) -> Origin:
        """The place of the definition."""
        resource = self.resource
        return Origin(self.urn, resource.name, resource.stack, resource.file, resource.line)

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
        key = self.property_name(key)
        output = self.outputs.get(key)
        if output is not None and not contains_unknown(output):
            return output
        return self.inputs.get(key) if self.inputs else output

    def output(self, key: str) -> object:
        """What AWS gives the resource: None if the type has no such output."""
        return self.outputs.get(self.property_name(key))

    def property_name(self, key: str) -> str:
        """The property `key` as this type calls it, for messages."""
        return property_name(self.type, key)

    def text(self, key: str) -> Value | None:
        """A property that holds a string; what is no single value counts as unknown."""
        value = self.value(key)
        if value is UNKNOWN or isinstance(value, (list, Mapping)):
            return Text((Unknown(f"the {self.property_name(key)} of {self.unique_call}"),))
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
        key = self.property_name(key)
        value = self.inputs.get(key) if self.inputs else self.outputs.get(key)
        if value is UNKNOWN:
            return UNKNOWN
        items = value if isinstance(value, list) else [value]
        return [item for item in items if item is not None and item != ""]

    def dependencies(self, key: str) -> Sequence[str]:
        """The URNs that the value of an input comes from."""
        return self.resource.property_dependencies.get(self.property_name(key), ())

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
    if definition.entity == "key":
        return replace(definition, arn=_key_arn(definition))
    if definition.entity == "oidc-provider":
        return replace(definition, arn=_oidc_arn(definition))
    if not definition.entity and resource.type not in NAMES:
        return definition
    name = _name(definition)
    arn = _iam_arn(definition, name) if definition.entity in _IN_IAM else None
    return replace(definition, arn=arn, name=name)


def as_replica_of(replica: Definition, primary: object) -> Definition:
    """The replica with the key id of its primary key: a definition or an ARN (K165)."""
    if _known(replica.output("arn")) or _known(replica.output("keyId")):
        return replica
    arn = primary.arn if isinstance(primary, Definition) else primary
    segments = arn_segments(arn) if isinstance(arn, (str, Text)) else None
    resource = split(segments[5], "/", 1) if segments else []
    if len(resource) != 2 or resource[0] != "key":
        return replica
    place = replica.place
    return replace(replica, arn=key_arn(place.partition, place.region, place.account, resource[1]))


def _known(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _key_arn(definition: Definition) -> Value:
    arn = _known(definition.output("arn"))
    if arn:
        return arn
    place = definition.place
    key_id: Value | None = _known(definition.output("keyId"))
    if key_id is None:
        unknown = unknown_key_id(definition.resource.qualified_name)
        # Who shares the id of a key that is defined elsewhere has no id of its own.
        is_replica = definition.type in REPLICAS
        literal = definition.created_later and not is_replica
        key_id = Text((replace(unknown, unique=not is_replica, matches_no_literal=literal),))
    return key_arn(place.partition, place.region, place.account, key_id)


def _iam_arn(definition: Definition, name: Value) -> Value:
    arn = _known(definition.output("arn"))
    if arn:
        return arn
    place = definition.place
    return iam_arn(place.partition, place.account, definition.entity, _path(definition), name)


def _path(definition: Definition) -> Value:
    if definition.type in SERVICE_LINKED_ROLES:
        service = definition.text("awsServiceName") or ""
        return concat(("/aws-service-role/", service, "/"))
    if definition.entity == "saml-provider":
        return "/"
    path = definition.value("path")
    if path is UNKNOWN:
        path = Text((Unknown(f"the path of {definition.unique_call}", PATH_CHARACTER),))
    if not isinstance(path, (str, Text)) or path == "":
        path = "/"
    return path


def _oidc_arn(definition: Definition) -> Value:
    arn = _known(definition.output("arn"))
    if arn:
        return arn
    place = definition.place
    url = definition.text("url") or ""
    host = url.removeprefix(_SCHEME) if isinstance(url, str) else url
    return iam_arn(place.partition, place.account, "oidc-provider", "/", host)


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
