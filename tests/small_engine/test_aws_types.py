"""What a pack is shown of the resources that decide about access to keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.small_engine import Engine
from tests.small_engine.testbed import (
    STACK,
    UNKNOWN,
    Run,
    names,
    state_resources,
    watch,
    write_program,
)
from tests.small_engine.values import without_internal

# Everything twice: with documents that are plain text of literal ARNs, and with documents that
# are outputs of other resources' ARNs.
ACCESS = """
    import json
    import pulumi
    import pulumi_aws as aws

    def allow(action, **more):
        statement = {"Effect": "Allow", "Action": action, **more}
        return {"Version": "2012-10-17", "Statement": [statement]}

    for form in ("plain", "output"):
        text = json.dumps if form == "plain" else pulumi.Output.json_dumps

        def arn(resource, kind, name):
            literal = f"arn:aws:iam::111122223333:{kind}/{name}"
            return literal if form == "plain" else resource.arn

        user = aws.iam.User(f"{form}-user", name=f"{form}-alice", path="/")
        user_arn = arn(user, "user", f"{form}-alice")
        role = aws.iam.Role(
            f"{form}-role",
            assume_role_policy=text(allow("sts:AssumeRole", Principal={"AWS": user_arn})),
            inline_policies=[
                {"name": "fixed", "policy": json.dumps(allow("s3:Get*", Resource="*"))},
                {"policy": text(allow("s3:Put*", Resource="*", Principal=user_arn))},
            ],
        )
        key = aws.kms.Key(
            f"{form}-key", policy=text(allow("kms:*", Resource="*", Principal={"AWS": user_arn})))
        key_arn = "*" if form == "plain" else key.arn
        decrypt = text(allow("kms:Decrypt", Resource=key_arn))
        aws.kms.KeyPolicy(f"{form}-key-policy", key_id=key.id, policy=text(
            allow("kms:Decrypt", Resource="*", Principal={"AWS": user_arn})))
        aws.kms.Alias(f"{form}-alias", name=f"alias/{form}", target_key_id=key.key_id)
        aws.kms.Grant(f"{form}-grant", key_id=key.key_id, grantee_principal=role.arn,
                      operations=["Decrypt"],
                      constraints=[{"encryption_context_equals": {"tenant": "one"}}])
        aws.iam.UserPolicy(f"{form}-user-policy", user=user.name, policy=decrypt)
        aws.iam.RolePolicy(f"{form}-role-policy", role=role.id, policy=decrypt)
        policy = aws.iam.Policy(f"{form}-policy", policy=decrypt)
        aws.iam.RolePolicyAttachment(
            f"{form}-attachment", role=role.name, policy_arn=policy.arn)
        group = aws.iam.Group(f"{form}-group")
        aws.iam.UserGroupMembership(
            f"{form}-membership", user=user.name, groups=[group.name, "auditors"])
"""

KEY_POLICY_DEFAULTS = {"bypassPolicyLockoutSafetyCheck": False, "region": "us-east-1"}
# Inputs in Analyze at the first preview without documents, and what is unknown in AnalyzeStack.
# Names that the program leaves out are not in this table: all of them are looked at in one test.
SHOWN: dict[str, tuple[dict[str, Any], set[str]]] = {
    "user": ({"name": "alice", "path": "/", "forceDestroy": False}, {"arn", "uniqueId"}),
    "role": (
        {"path": "/", "forceDetachPolicies": False, "maxSessionDuration": 3600},
        {"arn", "createDate", "managedPolicyArns", "namePrefix", "uniqueId"},
    ),
    "key": (
        KEY_POLICY_DEFAULTS
        | {
            "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "enableKeyRotation": False,
            "isEnabled": True,
            "keyUsage": "ENCRYPT_DECRYPT",
        },
        {"arn", "keyId", "description", "multiRegion", "rotationPeriodInDays"},
    ),
    "key-policy": (KEY_POLICY_DEFAULTS | {"keyId": UNKNOWN}, {"keyId"}),
    "alias": (
        {"name": "alias/", "targetKeyId": UNKNOWN, "region": "us-east-1"},
        {"arn", "namePrefix", "targetKeyArn", "targetKeyId"},
    ),
    "grant": (
        {
            "constraints": [{"__defaults": [], "encryptionContextEquals": {"tenant": "one"}}],
            "granteePrincipal": UNKNOWN,
            "keyId": UNKNOWN,
            "operations": ["Decrypt"],
            "region": "us-east-1",
            "retireOnDelete": False,
        },
        {"grantId", "grantToken", "granteePrincipal", "keyId"},
    ),
    "user-policy": ({"user": "alice"}, {"namePrefix"}),
    "role-policy": ({"role": UNKNOWN}, {"role", "namePrefix"}),
    "policy": ({"path": "/"}, {"arn", "attachmentCount", "namePrefix", "policyId"}),
    "attachment": ({"policyArn": UNKNOWN}, {"policyArn"}),
    "group": ({"path": "/"}, {"arn", "uniqueId"}),
    "membership": ({"user": "alice"}, set()),
}
DOCUMENTS = ("policy", "assumeRolePolicy", "inlinePolicies")
# Properties that refer to other resources whatever the form of the documents is.
REFERENCES = {
    "key-policy": {"keyId": ["key"]},
    "alias": {"targetKeyId": ["key"]},
    "grant": {"granteePrincipal": ["role"], "keyId": ["key"]},
    "user-policy": {"user": ["user"]},
    "role-policy": {"role": ["role"]},
    "attachment": {"policyArn": ["policy"], "role": ["role"]},
    "membership": {"groups": ["group"], "user": ["user"]},
}
# What documents written as outputs refer to in addition.
IN_DOCUMENTS = {
    "role": {"assumeRolePolicy": ["user"], "inlinePolicies": ["user"]},
    "key": {"policy": ["user"]},
    "key-policy": {"policy": ["user"]},
    "user-policy": {"policy": ["key"]},
    "role-policy": {"policy": ["key"]},
    "policy": {"policy": ["key"]},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run, Run]:
    """The first preview, the first update, and the preview after it."""
    folder = tmp_path_factory.mktemp("types")
    program = write_program(folder / "program", ACCESS)
    first = watch(folder, program)
    update = watch(folder, program, "up")
    second = watch(folder, program, state=update.outcome.state)
    assert [run.outcome.error for run in (first, update, second)] == ["", "", ""]
    return first, update, second


both_forms = pytest.mark.parametrize("form", ["plain", "output"])


@both_forms
@pytest.mark.parametrize("kind", SHOWN)
def test_resource_policy_sees_checked_inputs(
    runs: tuple[Run, Run, Run], kind: str, form: str
) -> None:
    expected = dict(SHOWN[kind][0])
    if expected.get("user"):
        expected["user"] = f"{form}-alice"
    if expected.get("name"):
        expected["name"] = f"alias/{form}" if kind == "alias" else f"{form}-alice"
    seen = runs[0].one("resource", f"{form}-{kind}")["props"]
    shown = {key: value for key, value in seen.items() if key not in DOCUMENTS}
    assert {key: shown.get(key) for key in expected} == expected
    assert shown.keys() - expected.keys() <= {"name", "role", "groups"}


@both_forms
def test_names_are_made_up_where_the_type_has_one(runs: tuple[Run, Run, Run], form: str) -> None:
    inputs = {item["urn"].split("::")[3]: item["props"] for item in runs[0].asked("resource")}
    for kind in ("role", "grant", "user-policy", "role-policy", "policy", "group"):
        stem, _, tail = inputs[f"{form}-{kind}"]["name"].rpartition("-")
        assert (stem, len(tail)) == (f"{form}-{kind}", 7)
    for kind in ("key", "key-policy", "attachment", "membership"):
        assert "name" not in inputs[f"{form}-{kind}"]
    assert inputs[f"{form}-attachment"]["role"] == inputs[f"{form}-role"]["name"]
    group = inputs[f"{form}-group"]["name"]
    assert inputs[f"{form}-membership"]["groups"] == [group, "auditors"]


@both_forms
@pytest.mark.parametrize("kind", SHOWN)
def test_stack_policy_sees_the_planned_outputs(
    runs: tuple[Run, Run, Run], kind: str, form: str
) -> None:
    inputs = runs[0].one("resource", f"{form}-{kind}")["props"]
    outputs = runs[0].one("stack", f"{form}-{kind}")["props"]
    assert {key: outputs[key] for key in inputs} == without_internal(inputs)
    unknown = {key for key, value in outputs.items() if value == UNKNOWN}
    assert unknown - set(DOCUMENTS) == SHOWN[kind][1] | {"id"}


@pytest.mark.parametrize("kind", IN_DOCUMENTS)
def test_documents_are_known_text_or_one_unknown(runs: tuple[Run, Run, Run], kind: str) -> None:
    first, update, second = runs
    for key in IN_DOCUMENTS[kind]:
        plain = first.one("resource", f"plain-{kind}")["props"][key]
        unknown = first.one("resource", f"output-{kind}")["props"][key]
        later = [run.one("resource", f"output-{kind}")["props"][key] for run in (update, second)]
        if key == "inlinePolicies":
            # The elements of a list stay apart.
            assert [item["policy"] == UNKNOWN for item in unknown] == [False, True]
            assert [item["name"][:11] for item in unknown] == ["fixed", "output-role"]
            plain, unknown = plain[1]["policy"], unknown[1]["policy"]
            later = [value[1]["policy"] for value in later]
        assert json.loads(plain)["Version"] == "2012-10-17"
        assert unknown == UNKNOWN
        assert "arn:aws:" in later[0]
        assert later[0] == later[1]


@both_forms
@pytest.mark.parametrize("kind", SHOWN)
def test_dependencies_name_the_properties_and_stay_the_same(
    runs: tuple[Run, Run, Run], kind: str, form: str
) -> None:
    expected = REFERENCES.get(kind, {}) | (IN_DOCUMENTS.get(kind, {}) if form == "output" else {})
    for run in runs:
        item = run.one("stack", f"{form}-{kind}")
        named = {
            key: [urn.split(f"::{form}-")[1] for urn in urns]
            for key, urns in item["properties"].items()
        }
        assert named == expected
        listed = {urn for urns in item["properties"].values() for urn in urns}
        assert set(item["dependencies"]) == listed


@both_forms
def test_update_shows_references_by_their_real_ids(runs: tuple[Run, Run, Run], form: str) -> None:
    for run in runs[1:]:
        made = {
            kind: run.one("stack", f"{form}-{kind}")["props"] for kind in ("key", "role", "policy")
        }
        seen = {kind: run.one("resource", f"{form}-{kind}")["props"] for kind in SHOWN}
        key_id = made["key"]["keyId"]
        assert made["key"]["arn"] == f"arn:aws:kms:us-east-1:111122223333:key/{key_id}"
        assert seen["key-policy"]["keyId"] == seen["grant"]["keyId"] == key_id
        assert seen["alias"]["targetKeyId"] == key_id
        assert seen["grant"]["granteePrincipal"] == made["role"]["arn"]
        assert seen["role-policy"]["role"] == seen["attachment"]["role"] == made["role"]["name"]
        assert seen["attachment"]["policyArn"] == made["policy"]["arn"]


def test_outputs_hold_empty_text_for_what_aws_does_not_have(runs: tuple[Run, Run, Run]) -> None:
    absent = ("description", "namePrefix", "permissionsBoundary")
    first = runs[0].one("stack", "plain-role")["props"]
    assert "permissionsBoundary" not in first
    for run in runs[1:]:
        role = run.one("stack", "plain-role")["props"]
        assert [role[key] for key in absent] == ["", "", ""]


def test_second_preview_keeps_made_up_names_and_changes_nothing(
    runs: tuple[Run, Run, Run],
) -> None:
    _, update, second = runs

    def inputs(run: Run) -> dict[str, Any]:
        return {item["urn"]: item["props"] for item in run.asked("resource")}

    assert inputs(second) == inputs(update)
    assert UNKNOWN not in json.dumps(second.records)
    assert second.outcome.state == update.outcome.state


def test_changes_update_replace_and_delete(tmp_path: Path) -> None:
    source = """
        import pulumi_aws as aws
        aws.kms.Key("kept", policy='{"a": 1}', description="one")
        aws.kms.Key("replaced", customer_master_key_spec="SYMMETRIC_DEFAULT")
        aws.kms.Key("dropped")
    """
    program = write_program(tmp_path / "program", source)
    before = Engine(program=program).up(skip_preview=True)
    write_program(
        program,
        """
        import pulumi_aws as aws
        aws.kms.Key("kept", description="two")
        aws.kms.Key("replaced", customer_master_key_spec="RSA_2048", key_usage="SIGN_VERIFY")
        """,
    )
    run = watch(tmp_path, program, state=before.state)
    kept = run.one("stack", "kept")["props"]
    old = state_resources(before)[STACK + "aws:kms/key:Key::kept"]["outputs"]
    assert kept["arn"] == old["arn"]
    assert kept["description"] == "two"
    # Dropping the input does not reset the key's policy.
    assert kept["policy"] == '{"a": 1}'
    assert run.one("stack", "replaced")["props"]["arn"] == UNKNOWN
    assert run.asked("stack", "dropped") == []

    after = Engine(program=program, state=before.state).up(skip_preview=True)
    assert names(after.created) == ["replaced"]
    assert STACK + "aws:kms/key:Key::dropped" not in state_resources(after)


def test_imports_ignored_changes_forced_replacements_and_followers(tmp_path: Path) -> None:
    source = """
        import pulumi_aws as aws
        from pulumi import ResourceOptions
        one, two = aws.kms.Key("one"), aws.kms.Key("two")
        aws.kms.Alias("follower", name="alias/a", target_key_id=one.key_id)
        aws.kms.Key("fixed", description="old")
        aws.iam.User("rebuilt", tags={"a": "1"})
    """
    program = write_program(tmp_path / "program", source)
    before = Engine(program=program).up(skip_preview=True)
    write_program(
        program,
        source.replace("one.key_id", "two.key_id")
        .replace('"old"', '"new", opts=ResourceOptions(ignore_changes=["description"])')
        .replace('"1"}', '"2"}, opts=ResourceOptions(replace_on_changes=["tags"])')
        + '    aws.kms.Key("adopted", opts=ResourceOptions(import_="1-2-3"))',
    )
    two = state_resources(before)[STACK + "aws:kms/key:Key::two"]["outputs"]

    preview = watch(tmp_path, program, state=before.state)
    follower = preview.one("stack", "follower")["props"]
    assert follower["targetKeyId"] == two["keyId"]
    assert follower["targetKeyArn"] == UNKNOWN
    assert preview.one("resource", "fixed")["props"]["description"] == "old"
    adopted = preview.one("stack", "adopted")["props"]
    assert adopted["arn"] == "arn:aws:kms:us-east-1:111122223333:key/1-2-3"
    assert preview.one("stack", "rebuilt")["props"]["arn"] == UNKNOWN

    update = watch(tmp_path, program, "up", state=before.state)
    assert names(update.outcome.created) == ["rebuilt"]
    # The name of a replacement is made up after the resource policies have run.
    analysed, made = update.one("resource", "rebuilt"), update.one("stack", "rebuilt")
    assert analysed["props"]["name"] != made["props"]["name"]
    assert update.one("stack", "follower")["props"]["targetKeyArn"] == two["arn"]


def test_key_policy_must_be_text(tmp_path: Path) -> None:
    program = write_program(
        tmp_path / "program", "import pulumi_aws as a\na.kms.Key('k', policy={'Statement': []})\n"
    )
    outcome = Engine(program=program).preview()
    assert outcome.exit_code == 1
    assert "aws:kms/key:Key resource 'k' has a problem: policy: expected" in outcome.error
    assert "policy: expected a string" in outcome.error
