"""The AWS behind the provider stand-in: the ids and attributes that a created resource gets."""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .documents import default_key_policy
from .values import Properties, text

_RANDOM = random.SystemRandom()
CREATED = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource lives: taken from its provider and its own `region` input."""

    account: str
    region: str

    @property
    def partition(self) -> str:
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        region = self.region if regional else ""
        return f"arn:{self.partition}:{service}:{region}:{self.account}:{resource}"


Created = tuple[str, Properties]
# Inputs, place and the id of an existing thing that is read or imported ("" for a new one).
Builder = Callable[[Mapping[str, object], Place, str], Created]


def random_name(length: int, alphabet: str = string.ascii_uppercase + string.digits) -> str:
    return "".join(_RANDOM.choice(alphabet) for _ in range(length))


def random_hex(length: int) -> str:
    return random_name(length, "0123456789abcdef")


def _key_behind(alias: str) -> str:
    """The key of an alias that the program did not make: always the same one."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, alias))


def _key_id(inputs: Mapping[str, object], existing: str) -> str:
    if existing:
        resource = existing.rsplit(":", 1)[-1]
        return _key_behind(resource) if resource.startswith("alias/") else resource.split("/")[-1]
    if inputs.get("multiRegion") is True:
        return f"mrk-{random_hex(32)}"
    return str(uuid.uuid4())


def _key(inputs: Mapping[str, object], place: Place, existing: str) -> Created:
    key_id = _key_id(inputs, existing)
    foreign = existing.startswith("arn:") and ":key/" in existing
    return key_id, {
        "arn": existing if foreign else place.arn("kms", f"key/{key_id}"),
        "keyId": key_id,
        "policy": default_key_policy(place.partition, place.account),
        "description": "",
        "multiRegion": False,
        "isEnabled": True,
        "keyUsage": "ENCRYPT_DECRYPT",
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
    }


def _external_key(inputs: Mapping[str, object], place: Place, existing: str) -> Created:
    key_id = _key_id(inputs, existing)
    material = "keyMaterialBase64" in inputs
    return key_id, {
        "arn": place.arn("kms", f"key/{key_id}"),
        "policy": default_key_policy(place.partition, place.account),
        "enabled": material,
        "keyState": "Enabled" if material else "PendingImport",
        "expirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE" if material else "",
        "keyUsage": "ENCRYPT_DECRYPT",
        "keySpec": "SYMMETRIC_DEFAULT",
        "multiRegion": False,
    }


def _replica_key(inputs: Mapping[str, object], place: Place, existing: str) -> Created:
    # All keys of a multi-Region set share one id.
    key_id = _key_id(inputs, existing or text(inputs, "primaryKeyArn"))
    return key_id, {
        "arn": place.arn("kms", f"key/{key_id}"),
        "keyId": key_id,
        "policy": default_key_policy(place.partition, place.account),
        "keyUsage": "ENCRYPT_DECRYPT",
        "keySpec": "SYMMETRIC_DEFAULT",
        "keyRotationEnabled": False,
        "keyState": "Enabled",
        "expirationModel": "",
        "description": "",
    }


def _key_policy(inputs: Mapping[str, object], place: Place, existing: str) -> Created:
    return existing or text(inputs, "keyId"), {}


def _alias(inputs: Mapping[str, object], place: Place, existing: str) -> Created:
    name = existing or _named(inputs)
    target = text(inputs, "targetKeyId").rsplit("/", 1)[-1] or _key_behind(name)
    return name, {
        "name": name,
        "arn": place.arn("kms", name),
        "targetKeyId": target,
        "targetKeyArn": place.arn("kms", f"key/{target}"),
    }


def _grant(inputs: Mapping[str, object], place: Place, existing: str) -> Created:
    key, _, grant = existing.rpartition(":")
    grant = grant or random_hex(64)
    key = key or text(inputs, "keyId")
    return f"{key}:{grant}", {"grantId": grant, "grantToken": random_name(120)}


def _iam(kind: str, unique: str, *, id_is_arn: bool = False) -> Builder:
    def build(inputs: Mapping[str, object], place: Place, existing: str) -> Created:
        resource = existing.split(":", 5)[-1] if existing.startswith("arn:") else ""
        path, name = text(inputs, "path", "/"), _named(inputs)
        if resource:
            # kind/path/name
            middle = resource.split("/")[1:-1]
            path, name = "/".join(["", *middle, ""]), resource.rsplit("/", 1)[-1]
        elif existing:
            name = existing
        arn = existing if resource else place.arn("iam", f"{kind}{path}{name}", regional=False)
        outputs: Properties = {"arn": arn, "name": name, "path": path}
        outputs["policyId" if id_is_arn else "uniqueId"] = unique + random_name(17)
        if kind in ("role", "instance-profile"):
            outputs["createDate"] = CREATED
        if kind == "role":
            outputs |= {"managedPolicyArns": [], "inlinePolicies": []}
        if kind == "policy":
            outputs["attachmentCount"] = 0
        return (arn if id_is_arn else name), outputs

    return build


def _service_linked_role(inputs: Mapping[str, object], place: Place, existing: str) -> Created:
    service = text(inputs, "awsServiceName")
    suffix = text(inputs, "customSuffix")
    short = "".join(part.capitalize() for part in service.split(".")[0].split("-"))
    name = f"AWSServiceRoleFor{short}" + (f"_{suffix}" if suffix else "")
    path = f"/aws-service-role/{service}/"
    arn = existing or place.arn("iam", f"role{path}{name}", regional=False)
    return arn, {
        "arn": arn,
        "name": arn.rsplit("/", 1)[-1],
        "path": path,
        "uniqueId": "AROA" + random_name(17),
        "createDate": CREATED,
    }


def _joined(separator: str, *keys: str) -> Builder:
    def build(inputs: Mapping[str, object], place: Place, existing: str) -> Created:
        return existing or separator.join(text(inputs, key) for key in keys), {}

    return build


def _named(inputs: Mapping[str, object]) -> str:
    prefix = text(inputs, "namePrefix")
    return text(inputs, "name") or (prefix + random_name(26, string.digits) if prefix else "")


BUILDERS: Mapping[str, Builder] = {
    "aws:kms/key:Key": _key,
    "aws:kms/externalKey:ExternalKey": _external_key,
    "aws:kms/replicaKey:ReplicaKey": _replica_key,
    "aws:kms/replicaExternalKey:ReplicaExternalKey": _replica_key,
    "aws:kms/keyPolicy:KeyPolicy": _key_policy,
    "aws:kms/alias:Alias": _alias,
    "aws:kms/grant:Grant": _grant,
    "aws:iam/role:Role": _iam("role", "AROA"),
    "aws:iam/user:User": _iam("user", "AIDA"),
    "aws:iam/group:Group": _iam("group", "AGPA"),
    "aws:iam/policy:Policy": _iam("policy", "ANPA", id_is_arn=True),
    "aws:iam/instanceProfile:InstanceProfile": _iam("instance-profile", "AIPA"),
    "aws:iam/serviceLinkedRole:ServiceLinkedRole": _service_linked_role,
    "aws:iam/rolePolicy:RolePolicy": _joined(":", "role", "name"),
    "aws:iam/userPolicy:UserPolicy": _joined(":", "user", "name"),
    "aws:iam/groupPolicy:GroupPolicy": _joined(":", "group", "name"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _joined("/", "role", "policyArn"),
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": _joined("/", "user", "policyArn"),
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": _joined("/", "group", "policyArn"),
    "aws:iam/policyAttachment:PolicyAttachment": _joined("", "name"),
}


def build_any(token: str, inputs: Mapping[str, object], place: Place, existing: str) -> Created:
    """Attributes of a type that has no row above: an id, and an ARN of the common form."""
    service = token.split(":")[1].split("/")[0].removesuffix("v2")
    kind = token.split(":")[-1]
    name = existing or text(inputs, "name") or text(inputs, "bucket") or random_hex(17)
    if kind == "Bucket":
        arn = f"arn:{place.partition}:s3:::{name}"
    elif kind == "OpenIdConnectProvider":
        host = text(inputs, "url").removeprefix("https://") or name
        arn = place.arn("iam", f"oidc-provider/{host}", regional=False)
    elif service in ("sns", "sqs"):
        arn = place.arn(service, name)
    else:
        separator = ":" if service in ("lambda", "secretsmanager") else "/"
        regional = service not in ("iam", "organizations")
        resource = f"{kind[:1].lower()}{kind[1:]}{separator}{name}"
        arn = place.arn(service, resource, regional=regional)
    return name, {"arn": arn}
