"""The stand-in for the AWS provider: Check, Diff, Create, Update and Read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from .aws_types import (
    DERIVED,
    EMPTY_TEXTS,
    OPTIONAL_COMPUTED,
    REPLACING,
    SCHEMA_DEFAULTS,
    TEXT_DOCUMENTS,
)
from .cloud import BUILDERS, Place, build_any, random_hex
from .model import PROVIDER_PREFIX, Resource
from .schema import type_schema
from .values import (
    UNKNOWN,
    Properties,
    Value,
    contains_secret,
    contains_unknown,
    go_json,
    is_secret,
    is_unknown,
    plain,
    secret,
    text,
    without_internal,
)

DEFAULT_ACCOUNT = "111122223333"
DEFAULT_REGION = "us-east-1"
DEFAULTS = "__defaults"


@dataclass(frozen=True, slots=True)
class Instance:
    """One configured provider: the record that the engine keeps for it."""

    resource: Resource

    @property
    def package(self) -> str:
        return self.resource.type.removeprefix(PROVIDER_PREFIX)

    @property
    def configured(self) -> bool:
        """A provider with an unknown setting is never configured during a preview."""
        return not contains_unknown(self.resource.inputs)

    def place(self, inputs: Mapping[str, Value]) -> Place:
        settings = self.resource.inputs
        region = text(inputs, "region") or text(settings, "region", DEFAULT_REGION)
        return Place(self._account(), region)

    def assumed_role(self) -> str:
        roles = self._json("assumeRoles")
        last = roles[-1] if isinstance(roles, list) and roles else None
        # The Python SDK writes Python names into this JSON; the provider takes both.
        return str(last.get("role_arn") or last.get("roleArn") or "") if last else ""

    def default_tags(self) -> Properties:
        given = self._json("defaultTags")
        return dict(given.get("tags") or {}) if isinstance(given, Mapping) else {}

    def _account(self) -> str:
        allowed = self._json("allowedAccountIds")
        if isinstance(allowed, list) and allowed:
            return str(allowed[0])
        parts = self.assumed_role().split(":")
        return parts[4] if len(parts) > 4 else DEFAULT_ACCOUNT

    def _json(self, key: str) -> Value:
        value = plain(self.resource.inputs.get(key))
        if not isinstance(value, str) or is_unknown(value) or not value:
            return value
        return json.loads(value)


def check_config(settings: Properties) -> Properties:
    """The settings of a provider as the engine keeps them: what the program gave, and defaults."""
    return {
        "region": DEFAULT_REGION,
        "skipCredentialsValidation": "false",
        "skipMetadataApiCheck": "true",
        "skipRegionValidation": "true",
    } | settings


def check(
    token: str, name: str, news: Properties, olds: Properties | None, instance: Instance
) -> tuple[Properties, list[str]]:
    """The inputs as the engine keeps them, and the reasons why they are not valid."""
    if not instance.configured:
        return dict(news), []
    failures: list[str] = []
    schema = type_schema(token)
    inputs = dict(news)
    for key in schema.documents & inputs.keys():
        inputs[key] = _document(inputs[key])
    document = TEXT_DOCUMENTS.get(token, "")
    if isinstance(plain(inputs.get(document)), (Mapping, list)):
        failures.append(f"{document}: expected a string, got an object; use JSON text")
    defaults = dict(SCHEMA_DEFAULTS.get(token, {}))
    name_key = "bucket" if token == "aws:s3/bucket:Bucket" else "name"
    named = inputs.keys() & {name_key, f"{name_key}Prefix"}
    if instance.package == "aws" and name_key in schema.inputs and not named:
        defaults[name_key] = _autoname(token, name, name_key, olds or {})
    added = sorted(key for key in defaults if key not in inputs)
    inputs |= {key: defaults[key] for key in added}
    if instance.package == "aws":
        inputs[DEFAULTS] = added
        if "region" in schema.inputs:
            inputs.setdefault("region", instance.place(inputs).region)
        if "inlinePolicies" in inputs:
            inputs["inlinePolicies"] = _named(inputs["inlinePolicies"], name, olds or {})
        inputs = {key: _with_defaults(item) for key, item in inputs.items()}
    return inputs, failures


def _with_defaults(value: Value) -> Value:
    """The bridge notes the defaults of every nested block, also where there are none."""
    if not isinstance(value, list):
        return value
    return [
        {DEFAULTS: [], **item} if isinstance(item, Mapping) and not is_secret(item) else item
        for item in value
    ]


def _named(policies: Value, role: str, olds: Properties) -> Value:
    """Inline policies of a role, each with a name."""
    if not isinstance(policies, list):
        return policies
    before = dict(enumerate(olds.get("inlinePolicies") or ()))
    return [
        {**policy, "name": _autoname("", role, "name", before.get(index, {})), DEFAULTS: ["name"]}
        if isinstance(policy, Mapping) and not is_secret(policy) and "name" not in policy
        else policy
        for index, policy in enumerate(policies)
    ]


def _autoname(token: str, name: str, key: str, olds: Properties) -> Value:
    if key in (olds.get(DEFAULTS) or ()) and key in olds:
        return olds[key]
    unique = f"{name.lower() if key == 'bucket' else name}-{random_hex(7)}"
    if token == "aws:kms/alias:Alias" and not unique.startswith("alias/"):
        return f"alias/{unique}"
    return unique


def _document(value: Value) -> Value:
    """A document as JSON text; one unknown leaf makes the whole document unknown."""
    raw = plain(value)
    if raw is None:
        result: Value = ""
    elif contains_unknown(raw):
        result = UNKNOWN
    else:
        result = raw if isinstance(raw, str) else go_json(raw)
    return secret(result) if is_secret(value) or contains_secret(value) else result


def diff(
    token: str, olds: Properties, news: Properties, replace_on: frozenset[str] = frozenset()
) -> tuple[frozenset[str], frozenset[str]]:
    """The inputs that changed, and those among them that need a new resource."""
    before, after = without_internal(olds), without_internal(news)
    changed = frozenset(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))
    replacing = replace_on | (REPLACING if token.startswith("aws:") else frozenset())
    return changed, changed if "*" in replace_on else changed & replacing


def preview_create(token: str, inputs: Properties, instance: Instance) -> Properties:
    """The planned state: known inputs stay known, everything computed is unknown."""
    if not instance.configured:
        return {}
    schema = type_schema(token)
    optional = set(OPTIONAL_COMPUTED.get(token, ()))
    optional |= {"name", "namePrefix"} & schema.inputs
    outputs: Properties = dict.fromkeys(schema.computed | optional | {"id"}, UNKNOWN)
    if not schema.inputs:
        outputs["arn"] = UNKNOWN
    return outputs | _echo(token, inputs, instance)


def create(
    token: str, inputs: Properties, instance: Instance, existing: str = ""
) -> tuple[str, Properties]:
    """Make the resource, or describe the existing one with this id."""
    place = instance.place(inputs)
    builder = BUILDERS.get(token)
    if builder is not None:
        id_, made = builder(inputs, place, existing)
    else:
        id_, made = build_any(token, inputs, place, existing)
    schema = type_schema(token)
    known = schema.inputs | schema.computed
    if known:
        made = {key: value for key, value in made.items() if key in known}
    return id_, {"id": id_} | _empty_texts(token) | made | _echo(token, inputs, instance)


def update(
    token: str, old: Resource, inputs: Properties, instance: Instance, *, dry_run: bool
) -> Properties:
    """Computed attributes stay; inputs that were dropped go unless AWS keeps their value."""
    kept = OPTIONAL_COMPUTED.get(token, frozenset())
    outputs = {
        key: value
        for key, value in old.outputs.items()
        if key in inputs or key not in old.inputs or key in kept
    }
    outputs |= _echo(token, inputs, instance)
    for output, source in DERIVED.get(token, {}).items():
        if inputs.get(source) == old.inputs.get(source):
            continue
        built = UNKNOWN if dry_run else create(token, inputs, instance, old.id)[1].get(output)
        outputs[output] = built
    return outputs if dry_run else _empty_texts(token) | outputs


def _empty_texts(token: str) -> Properties:
    """Inputs that the provider reads back as "" where AWS has no value for them."""
    if not token.startswith(("aws:iam/", "aws:kms/")):
        return {}
    return dict.fromkeys(EMPTY_TEXTS & type_schema(token).inputs, "")


def _echo(token: str, inputs: Properties, instance: Instance) -> Properties:
    """The inputs as outputs, with what the provider derives from its own settings."""
    outputs: Properties = dict(without_internal(inputs))
    schema = type_schema(token)
    if "region" in schema.inputs and instance.package == "aws":
        outputs.setdefault("region", instance.place(inputs).region)
    if "tagsAll" in schema.computed:
        tags = outputs.get("tags") or {}
        unknown = contains_unknown(tags)
        outputs["tagsAll"] = UNKNOWN if unknown else instance.default_tags() | dict(plain(tags))
    return outputs
