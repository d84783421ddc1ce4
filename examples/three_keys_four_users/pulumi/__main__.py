"""Three keys and four users in one account.

The documents name users by account and name and keys by tag, not by the ARNs of resources: so
they are known at the first preview already, and the policy pack can decide everything there.
"""

import json

import pulumi
import pulumi_aws as aws

ACCOUNT = "111122223333"


def user_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def document(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def in_key_policy(sid: str, effect: str, principals: list[str], actions: list[str]) -> dict:
    return {
        "Sid": sid,
        "Effect": effect,
        "Principal": {"AWS": principals},
        "Action": actions,
        "Resource": "*",
    }


# Who deploys must be able to change the key policy again.
administration = in_key_policy(
    "Administration",
    "Allow",
    [f"arn:aws:iam::{ACCOUNT}:role/deployer"],
    ["kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:DescribeKey", "kms:TagResource"],
)
alice, bob, charlie, david = (user_arn(name) for name in ("alice", "bob", "charlie", "david"))

policy_of_b = [
    administration,
    in_key_policy("Bob", "Allow", [bob], ["kms:Encrypt", "kms:Decrypt"]),
    in_key_policy("Charlie", "Allow", [charlie], ["kms:Decrypt"]),
]
if pulumi.Config().get_bool("letDavidIn"):
    policy_of_b.append(in_key_policy("LetDavidIn", "Allow", [david], ["kms:Decrypt"]))

key_policies = {
    "cmk-a": document(
        in_key_policy("EnableIAM", "Allow", [f"arn:aws:iam::{ACCOUNT}:root"], ["kms:*"])
    ),
    "cmk-b": document(*policy_of_b),
    "cmk-c": document(
        administration,
        in_key_policy("Alice", "Allow", [alice], ["kms:Decrypt"]),
        in_key_policy("NobodyElse", "Deny", [bob, charlie, david], ["kms:*"]),
    ),
}
for name, policy in key_policies.items():
    key = aws.kms.Key(name, policy=policy, tags={"key": name})
    aws.kms.Alias(name, name=f"alias/{name}", target_key_id=key.key_id)

user_policies = {
    "alice": ("kms:*", ["cmk-a", "cmk-b"]),
    "bob": None,
    "charlie": ("kms:Encrypt", ["cmk-a", "cmk-b"]),
    "david": ("kms:Decrypt", ["cmk-b"]),
}
for name, permission in user_policies.items():
    user = aws.iam.User(name, name=name)
    if permission is None:
        continue
    action, keys = permission
    aws.iam.UserPolicy(
        name,
        user=user.name,
        policy=document(
            {
                "Effect": "Allow",
                "Action": action,
                "Resource": f"arn:aws:kms:*:{ACCOUNT}:key/*",
                "Condition": {"StringEquals": {"aws:ResourceTag/key": keys}},
            }
        ),
    )
