"""The small engine behaves like the real one where policy packs can tell the difference."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.small_engine.testbed import (
    STACK,
    UNKNOWN,
    Run,
    is_alive,
    names,
    state_resources,
    watch,
    write_program,
)

ACCESS = """
    import json
    import pulumi
    import pulumi_aws as aws

    TRUST = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole",
         "Principal": {"Service": "ec2.amazonaws.com"}}
    ]}

    class Vault(pulumi.ComponentResource):
        def __init__(self, name, policy):
            super().__init__("shop:index:Vault", name)
            self.key = aws.kms.Key("key", policy=policy, opts=pulumi.ResourceOptions(parent=self))
            self.register_outputs({"keyArn": self.key.arn})

    role = aws.iam.Role("app", assume_role_policy=TRUST)
    other = aws.iam.Role("other::one", assume_role_policy=TRUST, managed_policy_arns=[
        "arn:aws:iam::aws:policy/ReadOnlyAccess", role.arn,
    ])
    document = aws.iam.get_policy_document_output(statements=[
        {"actions": ["kms:Decrypt"], "resources": ["*"],
         "principals": [{"type": "AWS", "identifiers": [role.arn]}]},
    ])
    vault = Vault("vault", role.arn.apply(lambda arn: json.dumps({"Principal": {"AWS": arn}})))
    key = vault.key
    aws.kms.Key("rendered", policy=document.json)
    aws.kms.Grant("grant", key_id=key.key_id, grantee_principal=role.arn, operations=["Decrypt"])
    aws.kms.Alias("alias", target_key_id=key.key_id)
    aws.iam.RolePolicy("inline", role=role.id, policy={
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key.arn}],
    })
    aws.iam.RolePolicy("named", role=role.name, policy={"Version": "2012-10-17", "Statement": []})
    pulumi.export("keyArn", key.arn)
"""


@dataclass
class Story:
    """The same program at its first preview, its first update and the preview after that."""

    first: Run
    update: Run
    second: Run


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("story")
    program = write_program(folder / "program", ACCESS)
    first = watch(folder, program)
    update = watch(folder, program, "up")
    second = watch(folder, program, state=update.outcome.state)
    for run in (first, update, second):
        assert run.outcome.error == ""
        assert run.outcome.exit_code == 0
    return Story(first, update, second)


def test_urns_hold_the_chain_of_parent_types_without_the_stack(story: Story) -> None:
    registered = story.first.outcome.registered
    assert STACK + "shop:index:Vault::vault" in registered
    assert STACK + "shop:index:Vault$aws:kms/key:Key::key" in registered
    assert STACK + "aws:iam/role:Role::other::one" in registered
    assert STACK + "pulumi:pulumi:Stack::shop-dev" in registered
    key = story.first.one("stack", "key")
    assert key["parent"] == STACK + "shop:index:Vault::vault"


def test_pack_is_told_about_the_run(story: Story) -> None:
    (start,) = story.first.asked("start")
    assert start["names"] == ["organization", "shop", "dev"]
    assert start["dry_run"] is True
    assert start["cwd"].endswith("recorder")
    (start,) = story.update.asked("start")
    assert start["dry_run"] is False


def test_first_preview_makes_documents_built_from_arns_unknown(story: Story) -> None:
    run = story.first
    app = STACK + "aws:iam/role:Role::app"
    key = STACK + "shop:index:Vault$aws:kms/key:Key::key"
    seen = run.one("resource", "key")["props"]
    assert seen["policy"] == UNKNOWN
    assert seen["keyUsage"] == "ENCRYPT_DECRYPT"
    assert not {"arn", "keyId", "__defaults"} & seen.keys()
    assert run.one("stack", "key")["properties"] == {"policy": [app]}
    # An invoke with unknown arguments has no dependencies at all.
    assert run.one("resource", "rendered")["props"]["policy"] == UNKNOWN
    assert run.one("stack", "rendered")["properties"] == {}
    # One unknown leaf makes a whole document unknown.
    assert run.one("resource", "inline")["props"]["policy"] == UNKNOWN
    assert run.one("stack", "inline")["properties"] == {"policy": [key], "role": [app]}


def test_single_dependencies_of_unknown_properties_are_delivered(story: Story) -> None:
    run = story.first
    app = STACK + "aws:iam/role:Role::app"
    key = STACK + "shop:index:Vault$aws:kms/key:Key::key"
    grant = run.one("stack", "grant")
    assert grant["props"]["granteePrincipal"] == grant["props"]["keyId"] == UNKNOWN
    assert grant["properties"] == {"granteePrincipal": [app], "keyId": [key]}
    assert sorted(grant["dependencies"]) == sorted([app, key])
    assert run.one("stack", "alias")["properties"] == {"targetKeyId": [key]}
    named = run.one("stack", "named")
    assert named["props"]["role"] == run.one("resource", "app")["props"]["name"]
    assert named["properties"] == {"role": [app]}


def test_unknowns_in_lists_stay_single_elements(story: Story) -> None:
    known = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    seen = story.first.one("resource", "other::one")["props"]
    assert seen["managedPolicyArns"] == [known, UNKNOWN]


def test_preview_outputs_are_inputs_with_unknown_computed_values(story: Story) -> None:
    outputs = story.first.one("stack", "key")["props"]
    assert outputs["arn"] == outputs["keyId"] == outputs["id"] == UNKNOWN
    assert outputs["region"] == "us-east-1"
    assert story.first.one("stack", "vault")["props"] == {"keyArn": UNKNOWN}
    assert story.first.one("stack", "shop-dev")["props"] == {"keyArn": UNKNOWN}


def test_first_preview_creates_nothing(story: Story) -> None:
    assert story.first.outcome.created == ()
    assert state_resources(story.first.outcome) == {}


def test_update_creates_with_known_values(story: Story) -> None:
    run = story.update
    created = names(run.outcome.created)
    assert {"app", "key", "grant", "inline"} < set(created)
    assert not {"vault", "shop-dev"} & set(created)
    resources = state_resources(run.outcome)
    role = resources[STACK + "aws:iam/role:Role::app"]
    assert role["id"] == role["outputs"]["name"]
    arn = f"arn:aws:iam::111122223333:role/{role['id']}"
    assert role["outputs"]["arn"] == arn
    key = resources[STACK + "shop:index:Vault$aws:kms/key:Key::key"]
    assert key["outputs"]["arn"] == f"arn:aws:kms:us-east-1:111122223333:key/{key['id']}"
    assert key["outputs"]["keyId"] == key["id"]
    assert key["parent"] == STACK + "shop:index:Vault::vault"
    assert run.one("resource", "key")["props"]["policy"] == key["inputs"]["policy"]
    rendered = json.loads(run.one("resource", "rendered")["props"]["policy"])
    assert rendered["Statement"] == [
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Principal": {"AWS": arn}}
    ]


def test_second_preview_knows_everything(story: Story) -> None:
    run = story.second
    known = json.dumps([item for item in run.records if item["kind"] != "start"])
    assert UNKNOWN not in known
    resources = state_resources(story.update.outcome)
    grant = run.one("resource", "grant")["props"]
    role = resources[STACK + "aws:iam/role:Role::app"]
    assert grant["granteePrincipal"] == role["outputs"]["arn"]
    assert run.one("stack", "grant")["properties"]["granteePrincipal"] == [role["urn"]]
    assert run.outcome.state == story.update.outcome.state


def test_autonames_differ_between_operations_but_are_kept_with_state(story: Story) -> None:
    def name(run: Run) -> str:
        return str(run.one("resource", "app")["props"]["name"])

    for run in (story.first, story.update, story.second):
        stem, _, tail = name(run).rpartition("-")
        assert stem == "app"
        assert len(tail) == 7
        assert set(tail) <= set("0123456789abcdef")
    assert name(story.first) != name(story.update)
    assert name(story.second) == name(story.update)
    alias = story.first.one("resource", "alias")["props"]["name"]
    assert alias.startswith("alias/alias-")


def test_provider_block_is_delivered(story: Story) -> None:
    for kind in ("resource", "stack"):
        assert story.first.one(kind, "key")["provider"]["region"] == "us-east-1"
        assert story.first.one(kind, "vault")["provider"] is None


def test_no_process_is_left_behind(story: Story) -> None:
    for run in (story.first, story.update, story.second):
        (start,) = run.asked("start")
        assert not is_alive(start["pid"])


def test_reads_are_not_analysed_but_resolve(tmp_path: Path) -> None:
    program = write_program(
        tmp_path / "program",
        """
        import pulumi
        import pulumi_aws as aws
        old = aws.kms.Key.get("old", "11111111-2222-3333-4444-555555555555")
        aws.kms.Alias("alias", name="alias/old", target_key_id=old.arn)
        """,
    )
    run = watch(tmp_path, program, "up")
    assert run.outcome.error == ""
    assert run.asked("resource", "old") == run.asked("stack", "old") == []
    urn = STACK + "aws:kms/key:Key::old"
    assert urn not in (*run.outcome.registered, *run.outcome.created)
    assert state_resources(run.outcome)[urn]["external"] is True
    arn = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
    assert run.one("resource", "alias")["props"]["targetKeyId"] == arn


def test_providers_regions_and_secrets(tmp_path: Path) -> None:
    program = write_program(
        tmp_path / "program",
        """
        import pulumi
        import pulumi_aws as aws
        role = aws.iam.Role("role", assume_role_policy="{}")
        there = aws.Provider("there", region="eu-west-1", assume_roles=[
            {"role_arn": "arn:aws:iam::444455556666:role/deploy"}])
        opts = pulumi.ResourceOptions(provider=there)
        aws.kms.Key("far", opts=opts)
        aws.kms.Key("near", region="us-west-2", description=pulumi.Output.secret("hidden"))
        late = aws.Provider("late", region="eu-west-1", assume_roles=[{"role_arn": role.arn}])
        aws.iam.RolePolicy("raw", role="r", policy={"Statement": []},
                           opts=pulumi.ResourceOptions(provider=late))
        who = aws.get_caller_identity(opts=pulumi.InvokeOptions(provider=None))
        pulumi.export("who", [who.account_id, aws.get_region().region])
        """,
    )
    config = {"aws:region": "eu-central-1"}
    first = watch(tmp_path, program, config=config)
    assert first.outcome.error == ""
    assert first.asked("start")[0]["region"] == "eu-central-1"
    # A provider with an unknown setting is not configured: no Check, and no outputs at all.
    assert first.one("resource", "raw")["props"] == {"role": "r", "policy": {"Statement": []}}
    assert first.one("stack", "raw")["props"] == {}
    assert first.one("resource", "near")["props"]["description"] == "hidden"

    update = watch(tmp_path, program, "up", config=config)
    assert update.outcome.error == ""
    resources = state_resources(update.outcome)
    far = resources[STACK + "aws:kms/key:Key::far"]["outputs"]
    assert far["arn"].startswith("arn:aws:kms:eu-west-1:444455556666:key/")
    statement = json.loads(far["policy"])["Statement"][0]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::444455556666:root"}
    near = resources[STACK + "aws:kms/key:Key::near"]
    assert near["outputs"]["arn"].startswith("arn:aws:kms:us-west-2:111122223333:key/")
    assert near["inputs"]["description"]["plaintext"] == '"hidden"'
    assert update.one("resource", "far")["provider"]["region"] == "eu-west-1"
    assert resources[STACK + "pulumi:pulumi:Stack::shop-dev"]["outputs"]["who"] == [
        "111122223333",
        "eu-central-1",
    ]

    again = watch(tmp_path, program, config=config, state=update.outcome.state)
    assert again.one("resource", "near")["props"]["description"] == "hidden"
    assert again.one("stack", "near")["props"]["arn"] == near["outputs"]["arn"]


def test_resource_options_are_delivered(tmp_path: Path) -> None:
    program = write_program(
        tmp_path / "program",
        """
        import pulumi
        import pulumi_aws as aws
        aws.iam.User("plain")
        aws.iam.User("special", opts=pulumi.ResourceOptions(
            protect=True, ignore_changes=["tags"], delete_before_replace=False,
            additional_secret_outputs=["arn"],
            aliases=["urn:pulumi:dev::shop::aws:iam/user:User::former"],
            custom_timeouts=pulumi.CustomTimeouts(create="1h30m", update="5s", delete="100ms")))
        """,
    )
    run = watch(tmp_path, program)
    assert run.one("resource", "special")["options"] == {
        "protect": True,
        "ignore_changes": ["tags"],
        "delete_before_replace": False,
        "aliases": [STACK + "aws:iam/user:User::former"],
        "additional_secret_outputs": ["arn"],
        "timeouts": [5400.0, 5.0, 0.1],
    }
    assert run.one("resource", "plain")["options"] == {
        "protect": False,
        "ignore_changes": [],
        "delete_before_replace": None,
        "aliases": [],
        "additional_secret_outputs": [],
        "timeouts": [0.0, 0.0, 0.0],
    }


def test_stack_analysis_comes_in_a_shuffled_order(tmp_path: Path, story: Story) -> None:
    def order(run: Run) -> list[str]:
        return [item["urn"] for item in run.asked("stack")]

    program = write_program(tmp_path / "program", ACCESS)
    other = watch(tmp_path, program, shuffle_seed=1)
    assert sorted(order(other)) == sorted(order(story.first))
    assert order(other) != order(story.first)
    # A seed gives the same order again, which is neither that of the program nor sorted.
    assert order(story.second) == order(story.first)
    assert order(story.first) != sorted(order(story.first))
    assert order(story.first) != list(story.first.outcome.registered)
