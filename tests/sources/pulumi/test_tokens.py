"""Type tokens and property names are those of the provider's SDK."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from kms_access.sources.pulumi import read_stack
from kms_access.sources.pulumi.coverage import is_relevant
from kms_access.sources.pulumi.tokens import ATTACHMENTS, INLINE_POLICIES, READ
from tests.small_engine.schema import type_schema

from .stack import resource

PROPERTIES = {
    "aws:kms/key:Key": (
        "policy bypassPolicyLockoutSafetyCheck keyUsage customerMasterKeySpec multiRegion "
        "customKeyStoreId xksKeyId description region tags"
    ),
    "aws:kms/keyPolicy:KeyPolicy": "keyId policy bypassPolicyLockoutSafetyCheck region",
    "aws:kms/alias:Alias": "targetKeyId name namePrefix region",
    "aws:kms/grant:Grant": (
        "granteePrincipal keyId operations constraints retiringPrincipal region"
    ),
    "aws:iam/role:Role": (
        "assumeRolePolicy inlinePolicies managedPolicyArns permissionsBoundary path name "
        "namePrefix tags"
    ),
    "aws:iam/user:User": "name path permissionsBoundary tags",
    "aws:iam/group:Group": "name path",
    "aws:iam/policy:Policy": "policy name namePrefix path",
    "aws:iam/policyAttachment:PolicyAttachment": "policyArn roles users groups",
    "aws:iam/userGroupMembership:UserGroupMembership": "user groups",
    "aws:iam/groupMembership:GroupMembership": "group users",
    **{token: f"{owner} policy" for token, owner in INLINE_POLICIES.items()},
    **{token: f"{owner} {policies}" for token, (_, owner, policies) in ATTACHMENTS.items()},
}


def sdk_tokens() -> Iterable[str]:
    spec = importlib.util.find_spec("pulumi_aws")
    assert spec is not None
    for root in spec.submodule_search_locations or ():
        for service in ("iam", "kms"):
            for file in sorted(Path(root, service).glob("*.py")):
                source = file.read_text(encoding="utf-8")
                # Neither enumerations, whose middle part begins with a capital, nor functions.
                yield from re.findall(rf"['\"](aws:{service}/[a-z]\w*:[A-Z]\w+)['\"]", source)


@pytest.mark.parametrize("token", sorted(READ))
def test_every_type_that_is_read_has_the_properties_that_are_read(token: str) -> None:
    assert set(PROPERTIES[token].split()) <= type_schema(token).inputs


def test_every_type_of_the_two_services_is_known() -> None:
    tokens = sorted(set(sdk_tokens()))
    assert len(tokens) > 30
    for token in tokens:
        assert is_relevant(token)
        gaps = read_stack([resource(token, "x", {"any": "thing"})]).not_covered
        assert not any("not known here" in gap.reason for gap in gaps), token
