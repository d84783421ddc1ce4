"""What each check is about, for tools that show help beside a result.

`controls` are the published controls that a check covers: AWS Security Hub and Config, AWS Control
Tower, and the IAM-KMS list of aws-samples/aws-iam-permissions-guardrails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata

from kms_access.rules.checks import CHECKS
from kms_access.rules.model import Level

_SOURCE_LABELS = ("repository", "source", "source code")


@dataclass(frozen=True, slots=True)
class CheckHelp:
    """`severity` is a score from 0 to 10, as security-severity of code scanning."""

    severity: float
    why: str
    fix: str
    controls: tuple[str, ...] = ()


HELP: Mapping[str, CheckHelp] = {
    "team-access": CheckHelp(
        8.0,
        "The rules file says which team may do what with a key. The definitions give a principal "
        "more than that, directly or through policies that act together.",
        "Remove the access at the last step that the finding names, or allow it to a team of the "
        "principal in the rules file.",
        ("KMS.1", "KMS.2", "IAM-KMS-4", "IAM-KMS-5", "IAM-KMS-6", "IAM-KMS-9"),
    ),
    "required-access": CheckHelp(
        6.0,
        "The rules file says what a team must be able to do with a key. After the deployment it "
        "could not, or not surely.",
        "Keep a statement that allows it, and no Deny that takes it away.",
    ),
    "lockout": CheckHelp(
        7.0,
        "A key whose key policy nobody can change is lost to its owners: only AWS Support can "
        "help, and KMS refuses some of these policies.",
        "Let the account principal, or a principal that lasts, use kms:PutKeyPolicy in the key "
        "policy.",
        ("IAM-KMS-1", "CT.KMS.PV.3"),
    ),
    "separation-of-duties": CheckHelp(
        5.0,
        "A principal that manages a key and uses it can read data and cover its tracks.",
        "Give the management of the key and its use to two principals.",
        ("IAM-KMS-8",),
    ),
    "self-escalation": CheckHelp(
        7.5,
        "A principal that can rewrite the key policy, create grants or change policies can give "
        "itself access that no rule allows.",
        "Take away the first step, or let a rule allow what it gives to the principal's team.",
        ("IAM-KMS-5", "IAM-KMS-8"),
    ),
    "public-access": CheckHelp(
        9.5,
        "Callers of any AWS account can use the key: no condition fixes who calls.",
        "Name the principals, or add a condition that fixes the caller, such as "
        "aws:PrincipalOrgID or kms:CallerAccount.",
        ("KMS.5", "kms-key-policy-no-public-access", "CT.KMS.PV.7"),
    ),
    "external-account": CheckHelp(
        8.5,
        "An account or an organization that the rules file does not list has access to a key.",
        "Remove the access, or list the account or organization in the rules file.",
        ("CT.KMS.PV.7",),
    ),
    "iam-delegation": CheckHelp(
        6.0,
        "A statement for the account principal lets every administrator of identity policies give "
        "access to the key, and the rules file forbids that for this key.",
        "Name principals in the key policy instead of the account, or narrow the statement to the "
        "root user.",
    ),
    "grant-delegation": CheckHelp(
        6.5,
        "Whoever creates grants without limits gives the key's use to anybody, outside of any "
        "policy, and grants do not expire.",
        "Limit kms:CreateGrant by kms:GrantIsForAWSResource, a fixed kms:GranteePrincipal or "
        "ForAllValues on kms:GrantOperations.",
        ("CT.KMS.PV.1", "CT.KMS.PR.3"),
    ),
    "confused-deputy": CheckHelp(
        6.5,
        "A service that may use the key can be made to do so for another account's resources.",
        "Add aws:SourceArn, aws:SourceAccount or aws:SourceOrgID to the statement for the service.",
        ("IAM-KMS-6",),
    ),
    "role-chain": CheckHelp(
        7.5,
        "A principal gets access that no rule allows it by acting as a role that has it.",
        "Narrow whom the role's trust policy names, or allow the access to the principal's team.",
    ),
    "key-deletion": CheckHelp(
        6.0,
        "A deleted key takes with it everything that it encrypts.",
        "Keep kms:ScheduleKeyDeletion, kms:DisableKey and kms:DeleteImportedKeyMaterial to those "
        "whom a rule allows them.",
        ("IAM-KMS-2", "IAM-KMS-3", "IAM-KMS-7", "SCP-KMS-1"),
    ),
    "ineffective-statement": CheckHelp(
        3.0,
        "A statement looks as if it gave or denied something, and does not: whoever reads it is "
        "misled, and a later change elsewhere can make it work.",
        "Write it so that it works, or remove it.",
    ),
    "invalid-policy": CheckHelp(
        5.0,
        "AWS does not accept the policy as written, so what it means cannot be known.",
        "Write the element as the message says.",
    ),
    "new-access": CheckHelp(
        7.0,
        "Somebody gets access that the baseline does not hold and that no rule allows.",
        "Remove the access, allow it in the rules file, or save a new baseline.",
    ),
    "unmatched-key": CheckHelp(
        4.0,
        "No rule of the rules file is for the key, so nobody has said who may use it.",
        "Add a rule whose match fits the key.",
    ),
    "undecided": CheckHelp(
        6.0,
        "The definitions do not say enough to know who has access. That is never a pass.",
        "Write the value so that it is known before the deployment, or supply the policy that is "
        "missing.",
    ),
    "expired-waiver": CheckHelp(
        5.0,
        "A waiver accepts a finding until a day. That day is over, or further away than the rules "
        "allow.",
        "Fix the finding and remove the waiver, or let its owner decide again.",
    ),
    "unused-waiver": CheckHelp(
        2.0,
        "A waiver that matches no finding excuses what somebody breaks later, unseen.",
        "Remove it, or write check, key, principal and capabilities as the finding has them.",
    ),
}


def help_of(check: str) -> CheckHelp:
    """The help of a check. A check without an entry has its claim for an explanation."""
    return HELP.get(check) or CheckHelp(5.0, f"{claim_of(check)}.", "See the finding.")


def claim_of(check: str) -> str:
    """What the check claims, in one line."""
    known = CHECKS.get(check)
    return known.claim if known else check.replace("-", " ")


def level_of(check: str) -> Level:
    """The level without a rules file."""
    known = CHECKS.get(check)
    return known.level if known else Level.ERROR


@cache
def help_page(check: str) -> str:
    """Where the check's page is; empty while the package names no public repository."""
    try:
        urls = metadata("kms-access").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    for entry in urls:
        label, _, url = str(entry).partition(",")
        if label.strip().lower() in _SOURCE_LABELS and url.strip().startswith("https://"):
            return f"{url.strip().rstrip('/')}/blob/main/docs/checks/{check}.md"
    return ""
