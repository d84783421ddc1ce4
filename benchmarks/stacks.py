"""Pulumi stacks as the engine sends them to a policy pack at the first preview."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pulumi.runtime.proto import analyzer_pb2 as proto

from tests.small_engine.values import to_struct

ACCOUNT = "111122223333"
RULES = f"""
version: 1
accounts: {{main: "{ACCOUNT}"}}
teams:
  services: {{principals: [role/role-*]}}
keys:
  - name: every key
    match: {{urn: "*aws:kms/key:Key::*"}}
    allow: {{services: [use, view]}}
"""
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SETTINGS = {"region": "eu-central-1", "allowedAccountIds": f'["{ACCOUNT}"]'}
_Properties = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Declared:
    """A resource of a program: its inputs, and what only its outputs have."""

    type: str
    name: str
    inputs: _Properties
    computed: _Properties
    depends: Mapping[str, str] = field(default_factory=dict)

    @property
    def urn(self) -> str:
        """As the engine builds it."""
        return f"urn:pulumi:dev::shop::{self.type}::{self.name}"


def stack(size: int) -> list[Declared]:
    """Of `size` resources, one in twenty is a key and one in five a role with a policy of its own.

    Each key has an alias, delegates, and lets three roles use it. Half of the stack is something
    else. Nothing in it breaks a rule.
    """
    keys, roles = size // 20, size // 5
    resources = [each for i in range(keys) for each in _key(i, roles)]
    resources += [each for i in range(roles) for each in _role(i)]
    return resources + [_bucket(i) for i in range(size - len(resources))]


def _key(number: int, roles: int) -> Iterator[Declared]:
    users = [f"arn:aws:iam::{ACCOUNT}:role/role-{(3 * number + i) % roles}" for i in range(3)]
    policy = _document(
        _allow("kms:*", Resource="*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
        _allow(["kms:Decrypt", "kms:GenerateDataKey*"], Resource="*", Principal={"AWS": users}),
    )
    tags = {"team": f"team-{number % 7}"}
    key = Declared(
        "aws:kms/key:Key",
        f"key-{number}",
        {"policy": policy, "isEnabled": True, "deletionWindowInDays": 30, "tags": tags},
        {"arn": _UNKNOWN, "keyId": _UNKNOWN, "id": _UNKNOWN, "tagsAll": tags},
    )
    yield key
    yield Declared(
        "aws:kms/alias:Alias",
        f"key-{number}",
        {"name": f"alias/key-{number}", "targetKeyId": _UNKNOWN},
        {"arn": _UNKNOWN, "id": _UNKNOWN},
        {"targetKeyId": key.urn},
    )


def _role(number: int) -> Iterator[Declared]:
    name = f"role-{number}"
    trust = _document(_allow("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"}))
    by_team = {"StringEquals": {"aws:ResourceTag/team": f"team-{number % 7}"}}
    policy = _document(
        _allow(["s3:GetObject", "s3:PutObject"], Resource=f"arn:aws:s3:::data-{number}/*"),
        _allow("kms:Decrypt", Resource="*", Condition=by_team),
    )
    yield Declared(
        "aws:iam/role:Role",
        name,
        {"name": name, "path": "/", "assumeRolePolicy": trust, "maxSessionDuration": 3600},
        {"arn": _UNKNOWN, "uniqueId": _UNKNOWN, "createDate": _UNKNOWN, "id": _UNKNOWN},
    )
    yield Declared(
        "aws:iam/rolePolicy:RolePolicy",
        name,
        {"name": name, "role": name, "policy": policy},
        {"id": _UNKNOWN},
    )


def _bucket(number: int) -> Declared:
    return Declared(
        "aws:s3/bucket:Bucket",
        f"bucket-{number}",
        {"bucket": f"bucket-{number}", "forceDestroy": False, "tags": {"team": "a", "stage": "b"}},
        {
            **dict.fromkeys(("arn", "id", "bucketDomainName", "hostedZoneId"), _UNKNOWN),
            "versioning": {"enabled": False, "mfaDelete": False},
            "serverSideEncryptionConfiguration": _UNKNOWN,
        },
    )


def _allow(action: str | list[str], **more: object) -> _Properties:
    return {"Effect": "Allow", "Action": action, **more}


def _document(*statements: _Properties) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def registration(resource: Declared) -> proto.AnalyzeRequest:
    """What the engine asks before the resource's own step."""
    return proto.AnalyzeRequest(
        type=resource.type,
        properties=to_struct(dict(resource.inputs)),
        urn=resource.urn,
        name=resource.name,
        provider=_provider(),
    )


def whole_stack(resources: list[Declared]) -> proto.AnalyzeStackRequest:
    """What the engine asks at the end."""
    request = proto.AnalyzeStackRequest()
    for resource in resources:
        request.resources.add(
            type=resource.type,
            properties=to_struct({**resource.inputs, **resource.computed}),
            urn=resource.urn,
            name=resource.name,
            provider=_provider(),
            dependencies=list(resource.depends.values()),
            propertyDependencies={
                name: proto.AnalyzerPropertyDependencies(urns=[urn])
                for name, urn in resource.depends.items()
            },
        )
    return request


def _provider() -> proto.AnalyzerProviderResource:
    return proto.AnalyzerProviderResource(
        type="pulumi:providers:aws",
        urn="urn:pulumi:dev::shop::pulumi:providers:aws::default",
        name="default",
        properties=to_struct(dict(_SETTINGS)),
    )
