"""`--pulumi-program`: a real program under mocks, without engine, plugin or cloud."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent, indent

import pytest

from kms_access.decisions.access_map import access_map
from kms_access.decisions.lookup import find_key, find_subject
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.model import Inventory
from kms_access.sources.interface import SourceError
from kms_access.sources.pulumi.program import load_program

ALLOWED = AccessState.ALLOWED
DENIED = AccessState.IMPLICITLY_DENIED
START = """
    import json
    import pulumi
    import pulumi_aws as aws

    TRUST = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole",
         "Principal": {"Service": "lambda.amazonaws.com"}}]}

    def document(account, *principals):
        return json.dumps({"Version": "2012-10-17", "Statement": [
            {"Sid": "Account", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
             "Principal": {"AWS": f"arn:aws:iam::{account}:root"}},
            {"Sid": "Users", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
             "Principal": {"AWS": list(principals)}}]})

    def use(arn):
        return json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": arn}]})

    account = aws.get_caller_identity().account_id
    other = aws.iam.Role("other", assume_role_policy=TRUST)
"""
# Every way of giving the role "api" the use of a key, each in names of its own.
WAYS = {
    "literal": """
        aws.kms.Key("k", policy=document(account, f"arn:aws:iam::{account}:role/payments-api"))
    """,
    "apply": """
        aws.kms.Key("k", policy=api.arn.apply(lambda arn: document(account, arn)))
    """,
    "all": """
        aws.kms.Key("k", policy=pulumi.Output.all(api.arn).apply(lambda a: document(account, *a)))
    """,
    "role name": """
        aws.kms.Key("k", policy=api.name.apply(
            lambda name: document(account, f"arn:aws:iam::{account}:role/{name}")))
    """,
    "generated name": """
        auto = aws.iam.Role("auto", assume_role_policy=TRUST)
        aws.kms.Key("k", policy=auto.arn.apply(lambda arn: document(account, arn)))
    """,
    "name prefix": """
        auto = aws.iam.Role("auto", name_prefix="pre-", assume_role_policy=TRUST)
        aws.kms.Key("k", policy=auto.arn.apply(lambda arn: document(account, arn)))
    """,
    "key policy resource": """
        key = aws.kms.Key("k")
        aws.kms.KeyPolicy("p", key_id=key.key_id,
            policy=api.arn.apply(lambda arn: document(account, arn)))
    """,
    "get_policy_document": """
        statements = [
            {"actions": ["kms:*"], "resources": ["*"], "principals": [
                {"type": "AWS", "identifiers": [f"arn:aws:iam::{account}:root"]}]},
            {"actions": ["kms:Decrypt"], "resources": ["*"], "principals": [
                {"type": "AWS", "identifiers": [api.arn]}]}]
        written = aws.iam.get_policy_document_output(statements=statements)
        aws.kms.Key("k", policy=written.json)
    """,
    "inline policy": """
        key = aws.kms.Key("k")
        aws.iam.RolePolicy("p", role=api.id, policy=key.arn.apply(use))
    """,
    "inline policy as data": """
        key = aws.kms.Key("k")
        aws.iam.RolePolicy("p", role=api.name, policy={
            "Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key.arn}]})
    """,
    "managed policy": """
        key = aws.kms.Key("k")
        policy = aws.iam.Policy("p", policy=key.arn.apply(use))
        aws.iam.RolePolicyAttachment("p", role=api.name, policy_arn=policy.arn)
    """,
    "grant": """
        key = aws.kms.Key("k", policy=document(account, "arn:aws:iam::999988887777:role/x"))
        aws.kms.Grant("g", key_id=key.key_id, grantee_principal=api.arn, operations=["Decrypt"])
    """,
    "helper": """
        written = PolicyDocument("p", {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "kms:*", "Resource": "*",
             "Principal": {"AWS": concat("arn:aws:iam::", account, ":root")}},
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
             "Principal": {"AWS": [api.arn]}}]})
        aws.kms.Key("k", policy=written.json)
    """,
}
USER = {"generated name": "auto", "name prefix": "auto"}


def all_ways() -> str:
    source = "from policypack.documents import PolicyDocument, concat\n"
    for number, way in enumerate(WAYS.values()):
        own = 'api = aws.iam.Role("api", name="payments-api", assume_role_policy=TRUST)\n'
        body = own + dedent(way).strip()
        for name in ("api", "auto", "k", "p", "g", "payments-api"):
            body = body.replace(f'"{name}"', f'"{name}{number}"')
        body = body.replace("role/payments-api", f"role/payments-api{number}")
        body = body.replace('"pre-"', f'"pre{number}-"')
        source += f"def way{number}():\n" + indent(body, "    ") + f"\nway{number}()\n"
    return source


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {aws:region: eu-central-1}\n")
    return tmp_path


def program(folder: Path, source: str, start: str = START) -> Path:
    (folder / "__main__.py").write_text(dedent(start) + dedent(source))
    return folder


def state(inventory: Inventory, principal: str, key: str = "k") -> AccessState:
    facts = access_map(inventory)
    subject, found = find_subject(facts, principal), find_key(facts, key)
    return facts.evaluator.access(subject, found, "kms:Decrypt").state


@pytest.mark.parametrize("account", ["", "111122223333"])
def test_every_way_of_giving_access_is_decided(folder: Path, account: str) -> None:
    inventory = load_program(program(folder, all_ways()), account=account)
    facts = access_map(inventory)
    decided = {}
    for number, way in enumerate(WAYS):
        key = find_key(facts, f"k{number}")
        decided[way] = [
            facts.evaluator.access(find_subject(facts, name), key, "kms:Decrypt").state
            for name in (f"{USER.get(way, 'api')}{number}", "other")
        ]
    assert decided == {way: [ALLOWED, DENIED] for way in WAYS}
    assert not any(gap.may_change_key_access for gap in inventory.not_covered)


def test_the_account_follows_from_a_key_policy(folder: Path) -> None:
    source = """
        api = aws.iam.Role("api", name="payments-api", assume_role_policy=TRUST)
        own = "111122223333"
        aws.kms.Key("k", policy=document(own, f"arn:aws:iam::{own}:role/payments-api"))
        aws.kms.Key("l", policy=api.arn.apply(lambda arn: document(own, arn)))
    """
    inventory = load_program(program(folder, source))
    assert {key.account for key in inventory.keys} == {"111122223333"}
    assert [state(inventory, "api", key) for key in ("k", "l")] == [ALLOWED, ALLOWED]
    assert state(inventory, "other") is DENIED


def test_accounts_and_regions_of_providers(folder: Path) -> None:
    source = """
        abroad = aws.Provider("abroad", region="us-east-1", allowed_account_ids=["444455556666"])
        there = pulumi.ResourceOptions(provider=abroad)
        options = pulumi.InvokeOptions(provider=abroad)
        identity = aws.get_caller_identity(opts=options)
        region = aws.get_region(opts=options)
        aws.kms.Key("k", description=f"{identity.account_id} {region.region}", opts=there)
        aws.kms.Key("l", description=aws.get_region().region)
    """
    keys = load_program(program(folder, source), account="111122223333").keys
    assert sorted((key.account, key.region, key.description) for key in keys) == [
        ("111122223333", "eu-central-1", "eu-central-1"),
        ("444455556666", "us-east-1", "444455556666 us-east-1"),
    ]


def test_what_only_the_cloud_knows_is_undecided(folder: Path) -> None:
    source = """
        bucket = aws.s3.Bucket("b")
        found = aws.iam.get_role_output(name="elsewhere")
        aws.kms.Key("k", policy=found.arn.apply(lambda arn: document(account, arn)))
        aws.kms.Key("l", policy=pulumi.Output.concat(
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:Decrypt",',
            '"Principal": "*", "Resource": "*", "Condition": {"StringEquals":',
            '{"kms:ViaService": "', bucket.bucket_domain_name, '"}}}]}'))
        aws.kms.Key("m", policy=document(pulumi.Config().require("account"), "*"))
    """
    (folder / "Pulumi.dev.yaml").write_text(
        "config:\n  aws:region: eu-central-1\n  account: {secure: AAAB}\n"
    )
    inventory = load_program(program(folder, source))
    facts = access_map(inventory)
    other = find_subject(facts, "other")
    for name in ("k", "l", "m"):
        access = facts.evaluator.access(other, find_key(facts, name), "kms:Decrypt")
        assert access.state is not AccessState.IMPLICITLY_DENIED
    documents = {key.origin.label: key.policies[0].document for key in inventory.keys}
    reasons = {name: str(document.unreadable) for name, document in documents.items()}
    assert 'the policy of key "k" is not known before the deployment' in reasons["k"]
    assert 'the policy of key "l" depends on "b", which is created' in reasons["l"]
    assert 'the encrypted configuration value "shop:account"' in str(documents["m"])


def test_stacks(folder: Path) -> None:
    (folder / "Pulumi.prod.yaml").write_text(
        "config:\n  aws:region: us-east-1\n  shop:text: prod\n  shop:list: [1, 2]\n"
    )
    (folder / "Pulumi.yaml").write_text(
        "name: shop\nruntime: {name: python}\nconfig: {text: {default: project}, more: here}\n"
    )
    source = """
        config = pulumi.Config()
        text = " ".join([pulumi.get_stack(), config.require("text"), config.require("more"),
                         json.dumps(config.get_object("list"))])
        aws.kms.Key("k", description=text)
    """
    program(folder, source)
    found = {
        stack: load_program(folder, stack=stack).keys[0].description for stack in ("dev", "prod")
    }
    assert found == {"dev": "dev project here null", "prod": "prod prod here [1, 2]"}
    with pytest.raises(SourceError, match='several stacks: "dev", "prod"'):
        load_program(folder)
    with pytest.raises(SourceError, match='no configuration of the stack "test"'):
        load_program(folder, stack="test")


def test_plugins_and_reads_are_gaps(folder: Path) -> None:
    source = """
        aws.kms.Key.get("seen", "1234abcd-12ab-34cd-56ef-1234567890ab")
        class Remote(pulumi.ComponentResource):
            def __init__(self, name):
                super().__init__("awsx:ec2:Vpc", name, {}, remote=True)
        Remote("vpc")
    """
    gaps = load_program(program(folder, source)).not_covered
    assert sorted((gap.reason, gap.may_change_key_access) for gap in gaps) == [
        (
            'component "vpc" (awsx:ec2:Vpc) makes its resources in a plugin, which does not run '
            "here",
            True,
        ),
        (
            'resource "seen" (aws:kms/key:Key) is only read by the program and is not evaluated',
            False,
        ),
    ]


FAILURES: Mapping[str, tuple[str, int | None, str]] = {
    "raise ValueError('no  good')": ("ValueError: no good", 2, ""),
    "x = (": ("SyntaxError: '(' was never closed", 2, ""),
    "aws.ec2.get_ami(owners=['amazon'])": (
        'the answer of the function "aws:ec2/getAmi:getAmi" is only known with the cloud',
        2,
        'call it in the form that gives an output, "get_ami_output"',
    ),
    "import no_such_module": (
        "ModuleNotFoundError: No module named 'no_such_module'",
        2,
        "run kms-access with the interpreter that runs the program",
    ),
    "raise SystemExit(3)": ("it ended itself with code 3", 2, ""),
    "aws.kms.Key('k'); aws.kms.Key('k')": (
        'two resources have the URN "urn:pulumi:dev::shop::aws:kms/key:Key::k"',
        None,
        "give them different names",
    ),
    "pulumi.Output.from_input(1).apply(lambda x: x / 0)": (
        "ZeroDivisionError: division by zero",
        2,
        "",
    ),
    "aws.iam.get_policy_document(override_policy_documents=['{'])": (
        "Exception: invoke of aws:iam/getPolicyDocument:getPolicyDocument failed: merging "
        "override document 0: no JSON: Expecting property name enclosed in double quotes: line 1 "
        "column 2 (char 1) ()",
        2,
        "",
    ),
}


@pytest.mark.parametrize("line", FAILURES)
def test_the_program_fails_with_its_line(folder: Path, line: str) -> None:
    with pytest.raises(SourceError) as caught:
        load_program(program(folder, line, "import pulumi, pulumi_aws as aws\n"))
    message, number, help_ = FAILURES[line]
    assert caught.value.message == f"the program failed: {message}"
    assert (caught.value.line, caught.value.help) == (number, help_)
    assert Path(caught.value.file).resolve() == folder / "__main__.py"


def test_no_region_is_told_where_it_is_missing(folder: Path) -> None:
    (folder / "Pulumi.dev.yaml").unlink()
    with pytest.raises(SourceError) as caught:
        load_program(program(folder, "", "import pulumi_aws\npulumi_aws.get_region()\n"))
    assert caught.value.message == 'the program failed: the AWS provider "default" has no region'
    assert caught.value.line == 2
    assert "AWS_REGION" in caught.value.help


def test_a_program_that_kills_its_process_is_an_error(folder: Path) -> None:
    source = "import os\nprint('last words', flush=True)\nos._exit(7)\n"
    with pytest.raises(SourceError, match="ended its process with code 7: last words"):
        load_program(program(folder, source, ""))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, 'no Pulumi project: there is no "Pulumi.yaml"'),
        ({"Pulumi.yaml": "runtime: python"}, 'the project has no "name"'),
        ({"Pulumi.yaml": "a: [\n"}, "no YAML: "),
        ({"Pulumi.yaml": "[]"}, "the file holds no mapping"),
        ({"Pulumi.yaml": "name: a\nruntime: nodejs"}, 'the runtime is "nodejs", only programs'),
        ({"Pulumi.yaml": "name: a\nruntime: python"}, '__main__.py" does not exist'),
    ],
)
def test_a_folder_that_is_no_project(
    tmp_path: Path, files: Mapping[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(SourceError) as caught:
        load_program(tmp_path)
    assert message in caught.value.message
    assert caught.value.file
