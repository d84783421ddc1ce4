"""What is not evaluated is said, and blocks only where it can touch keys of the deployment."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kms_access.sources.pulumi import is_relevant, read_stack
from kms_access.sources.pulumi.tokens import READ

from .stack import UNKNOWN, resource, urn

KEY = resource("key", "payments", {"isEnabled": True})
OF_KEY = [KEY.urn]
NOTE = (False, False)


@pytest.mark.parametrize(
    ("token", "inputs", "depends", "beside_keys", "alone"),
    [
        ("aws:iam/somethingNew:SomethingNew", {"a": 1}, [], True, False),
        ("aws:ssoadmin/accountAssignment:AccountAssignment", {"a": 1}, [], True, False),
        ("aws:ssoadmin/permissionSet:PermissionSet", {"name": "n"}, [], False, False),
        ("aws:organizations/policy:Policy", {"content": "{}"}, [], False, False),
        ("aws:iam/serviceLinkedRole:ServiceLinkedRole", {"awsServiceName": "s"}, [], *NOTE),
        ("aws-native:iam:ServiceLinkedRole", {"awsServiceName": "s"}, [], *NOTE),
        ("aws-native:iam:SomethingNew", {"a": 1}, [], True, False),
        ("aws-native:sso:PermissionSet", {"name": "n"}, [], True, False),
        ("aws-native:sso:Assignment", {"targetId": "t"}, [], True, False),
        ("aws-native:rolesanywhere:Profile", {"roleArns": []}, [], *NOTE),
        ("aws-native:ec2:VpcEndpoint", {"policyDocument": "{}"}, [], *NOTE),
        ("aws-native:eks:PodIdentityAssociation", {"roleArn": "r"}, [], *NOTE),
        ("aws-native:organizations:Policy", {"content": {}}, [], *NOTE),
        ("aws-native:cloudformation:Stack", {"templateBody": "AWS::IAM::Role"}, [], True, True),
        ("aws-native:cloudformation:CustomResourceEmulator", {"a": 1}, [], True, False),
        ("aws-native:index:ExtensionResource", {"type": "AWS::KMS::Key"}, [], True, True),
        ("aws:servicecatalog/provisionedProduct:ProvisionedProduct", {"a": 1}, [], True, False),
        ("aws:index/kmsKey:KmsKey", {"policy": "{}"}, [], True, True),
        ("aws:index/iamRole:IamRole", {"name": "r"}, [], True, True),
        ("aws:cloudformation/stack:Stack", {"templateUrl": "https://t"}, [], True, False),
        ("aws:cloudformation/stack:Stack", {"templateBody": UNKNOWN}, [], True, False),
        ("aws:cloudformation/stack:Stack", {"templateBody": "Type: AWS::KMS::Key"}, [], True, True),
        ("aws:cloudformation/stack:Stack", {"templateBody": "AWS::S3::Bucket"}, [], False, False),
        ("aws:cloudcontrol/resource:Resource", {"typeName": "AWS::IAM::Role"}, [], True, True),
        ("aws:cloudcontrol/resource:Resource", {"typeName": "AWS::S3::Bucket"}, [], *NOTE),
        ("command:local:Command", {"create": "make"}, [], False, False),
        ("command:local:Command", {"create": UNKNOWN}, OF_KEY, True, True),
        ("pulumi-python:dynamic:Resource", {"a": 1}, [urn("role", "r")], True, True),
        ("command:local:Command", {"a": 1}, [urn("aws-native:kms:Key", "k")], True, True),
    ],
)
def test_gaps(
    token: str, inputs: Mapping[str, object], depends: list[str], beside_keys: bool, alone: bool
) -> None:
    odd = resource(token, "odd", inputs, depends={"any": depends})
    for resources, expected in (([KEY, odd], beside_keys), ([odd], alone)):
        (gap,) = read_stack(resources).not_covered
        assert gap.may_change_key_access is expected
        assert gap.origin.identity == odd.urn
        assert '"odd"' in gap.reason
        assert token in gap.reason
    assert is_relevant(token)


@pytest.mark.parametrize(
    "token",
    ["aws:kms/ciphertext:Ciphertext", "aws:iam/accessKey:AccessKey", "aws:s3/bucket:Bucket"],
)
def test_types_without_permissions_are_no_gap(token: str) -> None:
    assert read_stack([KEY, resource(token, "x", {"a": 1})]).not_covered == ()


def test_what_is_read_is_relevant_and_what_never_matters_is_not() -> None:
    assert all(map(is_relevant, READ))
    for token in ("aws:s3/bucket:Bucket", "pulumi:pulumi:Stack", "pulumi:providers:aws"):
        assert not is_relevant(token)


def test_secret_content_is_never_shown() -> None:
    signature = "4dabf18193072939515e22adb298388d"
    secret = {signature: "1b47061264138c4ac30d75fd1eb44270", "value": "hunter2 AWS::KMS::Key"}
    stack = resource("aws:cloudformation/stack:Stack", "s", {"templateBody": secret})
    assert "hunter2" not in repr(read_stack([stack]))
