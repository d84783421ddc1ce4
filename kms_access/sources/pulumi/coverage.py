"""Resources that may change who can use a key and that are not evaluated, each with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kms_access.inventory.origin import NotCovered
from kms_access.policies.text import Text
from kms_access.sources.pulumi.definition import Definition
from kms_access.sources.pulumi.tokens import KEYS, READ, REFERRED_TO, SERVICE_LINKED_ROLES
from kms_access.sources.pulumi.wire import UNKNOWN

_SSO = "gives people access through roles that IAM Identity Center makes, which is not evaluated"
_TRUST = "decides who can act as a role, which is not evaluated here"
_RESTRICTS = "can only restrict calls, so more access may be reported than there is"
_OF_SERVICE = "has permissions that the AWS service defines"
_BRIDGED = "is of a Terraform provider that is bridged as it is, whose types are not evaluated"

WITHOUT_ACCESS: frozenset[str] = frozenset(
    {
        "aws:kms/customKeyStore:CustomKeyStore",
        "aws:kms/ciphertext:Ciphertext",
        "aws:iam/accessKey:AccessKey",
        "aws:iam/accountAlias:AccountAlias",
        "aws:iam/accountPasswordPolicy:AccountPasswordPolicy",
        "aws:iam/outboundWebIdentityFederation:OutboundWebIdentityFederation",
        "aws:iam/securityTokenServicePreferences:SecurityTokenServicePreferences",
        "aws:iam/serverCertificate:ServerCertificate",
        "aws:iam/serviceSpecificCredential:ServiceSpecificCredential",
        "aws:iam/signingCertificate:SigningCertificate",
        "aws:iam/sshKey:SshKey",
        "aws:iam/userLoginProfile:UserLoginProfile",
        "aws:iam/virtualMfaDevice:VirtualMfaDevice",
        "aws-native:iam:ServerCertificate",
        "aws-native:iam:VirtualMfaDevice",
    }
)
"""Types of the evaluated services that carry no permission of their own."""

_NOTES: Mapping[str, str] = {
    **dict.fromkeys(SERVICE_LINKED_ROLES, _OF_SERVICE),
    "aws:iam/organizationsFeatures:OrganizationsFeatures": _TRUST,
    "aws:rolesanywhere/profile:Profile": _TRUST,
    "aws-native:rolesanywhere:Profile": _TRUST,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _RESTRICTS,
    "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy": _RESTRICTS,
    "aws-native:ec2:VpcEndpoint": _RESTRICTS,
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": _TRUST,
    "aws-native:eks:PodIdentityAssociation": _TRUST,
    "aws:ssoadmin/permissionSet:PermissionSet": _SSO,
    "aws:ssoadmin/permissionsBoundaryAttachment:PermissionsBoundaryAttachment": _SSO,
}
_OPEN_KEYS: Mapping[str, str] = {
    "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy": _SSO,
    "aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment": _SSO,
    "aws:ssoadmin/managedPolicyAttachmentsExclusive:ManagedPolicyAttachmentsExclusive": _SSO,
    "aws:ssoadmin/customerManagedPolicyAttachment:CustomerManagedPolicyAttachment": _SSO,
    "aws:ssoadmin/customerManagedPolicyAttachmentsExclusive:"
    "CustomerManagedPolicyAttachmentsExclusive": _SSO,
    "aws:ssoadmin/accountAssignment:AccountAssignment": _SSO,
    "aws-native:sso:PermissionSet": _SSO,
    "aws-native:sso:Assignment": _SSO,
}
_TEMPLATES: Mapping[str, str] = {
    # type: the property that holds what will be made
    "aws:cloudformation/stack:Stack": "templateBody",
    "aws:cloudformation/stackSet:StackSet": "templateBody",
    "aws:cloudcontrol/resource:Resource": "typeName",
    "aws:serverlessrepository/cloudFormationStack:CloudFormationStack": "templateBody",
    "aws:servicecatalog/provisionedProduct:ProvisionedProduct": "templateBody",
    "aws-native:cloudformation:ChangeSet": "templateBody",
    "aws-native:cloudformation:CustomResourceEmulator": "templateBody",
    "aws-native:cloudformation:Stack": "templateBody",
    "aws-native:cloudformation:StackSet": "templateBody",
    "aws-native:index:ExtensionResource": "type",
    "aws-native:servicecatalog:CloudFormationProvisionedProduct": "templateBody",
}
_OPAQUE_PREFIXES = (
    *("command:", "pulumi-nodejs:dynamic", "pulumi-python:dynamic", "pulumi-dotnet:dynamic"),
)
_BRIDGED_PREFIXES = ("aws:index/kms", "aws:index/iam")
"""Types of `pulumi package add terraform-provider hashicorp/aws`."""
_SERVICES = ("aws:kms/", "aws:iam/", "aws-native:kms:", "aws-native:iam:")
_TOUCHES = ("AWS::KMS::", "AWS::IAM::", "AWS::SSO::", "AWS::Organizations::", "kms:")


@dataclass(frozen=True, slots=True)
class _Gap:
    reason: str
    may_change: bool


def find_gaps(definitions: Sequence[Definition]) -> tuple[NotCovered, ...]:
    """What is not evaluated; a note where it cannot open or close a key of this deployment."""
    has_keys = any(d.type in KEYS or d.type.startswith("aws:kms/") for d in definitions)
    entries = []
    for definition in definitions:
        gap = _gap(definition, has_keys)
        if gap is not None:
            reason = f"{definition.call} ({definition.type}) {gap.reason}"
            entries.append(NotCovered(definition.origin, reason, gap.may_change))
    return tuple(entries)


def is_relevant(type_: str) -> bool:
    """Whether a resource type is read or reported as a gap; all others never matter."""
    return (
        type_ in READ
        or type_ in REFERRED_TO
        or type_ in _NOTES
        or type_ in _OPEN_KEYS
        or type_ in _TEMPLATES
        or type_.startswith((*_SERVICES, *_OPAQUE_PREFIXES, *_BRIDGED_PREFIXES))
    )


def _gap(definition: Definition, has_keys: bool) -> _Gap | None:
    token = definition.type
    if definition.is_left_out and is_relevant(token):
        return _Gap("is left out of this operation by its targets and is not evaluated", False)
    if token in _NOTES:
        return _Gap(_NOTES[token], False)
    if token in READ or token in REFERRED_TO or token in WITHOUT_ACCESS:
        return None
    if token in _OPEN_KEYS:
        return _Gap(_OPEN_KEYS[token], has_keys)
    if token in _TEMPLATES:
        return _template_gap(definition, _TEMPLATES[token], has_keys)
    if token.startswith(_SERVICES):
        return _Gap("is of a type that is not known here", has_keys)
    if token.startswith(_BRIDGED_PREFIXES):
        return _Gap(_BRIDGED, True)
    if token.startswith(_OPAQUE_PREFIXES):
        touches = _touches(_all_dependencies(definition))
        reason = "runs code that nothing is known about"
        return _Gap(
            f"{reason}, and it is given a key or an identity" if touches else reason, touches
        )
    return None


def _template_gap(definition: Definition, key: str, has_keys: bool) -> _Gap | None:
    content = definition.value(key)
    if content is None or content is UNKNOWN or isinstance(content, Text):
        return _Gap("makes resources that are not known before the deployment", has_keys)
    if any(word in str(content) for word in _TOUCHES):
        return _Gap("makes keys or identities of its own, which are not evaluated", True)
    return _Gap("makes resources of its own, none of them keys or identities", False)


def _all_dependencies(definition: Definition) -> Iterable[str]:
    for urns in definition.resource.property_dependencies.values():
        yield from urns


def _touches(urns: Iterable[str]) -> bool:
    types = (urn.split("::", 3)[2].rpartition("$")[2] for urn in urns if urn.count("::") >= 3)
    return any(type_.startswith(_SERVICES) for type_ in types)
