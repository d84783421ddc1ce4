"""`policypack.documents`: the same policy, and at a preview its structure beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pulumi
import pytest

from kms_access.sources.pulumi import composed, tokens
from policypack import documents
from policypack.documents import PolicyDocument, concat
from tests.small_engine import Engine, Outcome
from tests.small_engine.testbed import UNKNOWN, Run, watch

ROOT = Path(__file__).resolve().parents[2]
KEY = "urn:pulumi:dev::shop::aws:kms/key:Key::payments"
ROLE = "urn:pulumi:dev::shop::aws:iam/role:Role::api"
RULES = """
version: 1
accounts: {main: "111122223333"}
teams:
  payments: {principals: [role/payments-*]}
keys:
  - name: payments data
    match: {urn: "*aws:kms/key:Key::payments"}
    allow:
      payments: [use, view]
"""
START = """
    import pulumi
    import pulumi_aws as aws
    from policypack.documents import PolicyDocument, concat

    NAME = "{name}"
    TRUST = {{"Version": "2012-10-17", "Statement": [
        {{"Effect": "Allow", "Action": "sts:AssumeRole",
         "Principal": {{"Service": "lambda.amazonaws.com"}}}}]}}
    account = aws.get_caller_identity_output().account_id
    role = aws.iam.Role("api", name=NAME, assume_role_policy=TRUST)

    def allow(action, principal):
        return {{"Effect": "Allow", "Action": action, "Resource": "*", "Principal": principal}}

    def use(arn):
        return {{"Version": "2012-10-17", "Statement": {{
            "Effect": "Allow", "Action": "kms:Decrypt", "Resource": arn}}}}

    root = allow("kms:*", {{"AWS": concat("arn:aws:iam::", account, ":root")}})
"""
KEY_POLICY = """
    text = PolicyDocument("key", {"Version": "2012-10-17", "Statement": [
        root, allow(["kms:Decrypt"], {"AWS": [role.arn]})]})
    key = aws.kms.Key("payments", policy=text.json)
"""
IDENTITY_POLICIES = """
    key = aws.kms.Key("payments", policy=PolicyDocument("key", {
        "Version": "2012-10-17", "Statement": [root]}).json)
    aws.iam.RolePolicy("inline", role=role.id, policy=PolicyDocument("use", use(key.arn)).json)
"""
IN_A_LIST = """
    key = aws.kms.Key("payments")
    aws.iam.Role("list", name=NAME + "-list", assume_role_policy=TRUST, inline_policies=[
        {"name": "one", "policy": PolicyDocument("one", use(key.arn)).json},
        {"name": "two", "policy": PolicyDocument("two", use([key.arn, concat(key.arn, "*")])).json},
    ])
"""


def engine(project: Path, source: str, name: str = "payments-api") -> Engine:
    (project / "access-rules.yaml").write_text(RULES)
    text = dedent(START.format(name=name)) + dedent(source)
    (project / "__main__.py").write_text(text)
    environment = {"PWD": str(project), "PYTHONPATH": str(ROOT)}
    return Engine(program=project, policy_pack=ROOT / "policypack", environment=environment)


def told(outcome: Outcome) -> str:
    return "\n".join(diagnostic.message for diagnostic in outcome.diagnostics)


@pytest.mark.parametrize("source", [KEY_POLICY, IDENTITY_POLICIES, IN_A_LIST])
def test_a_first_preview_is_decided(project: Path, source: str) -> None:
    clean = engine(project, source).preview()
    assert (clean.exit_code, clean.error, told(clean)) == (0, "", "")
    broken = engine(project, source, "billing").preview()
    assert (broken.exit_code, broken.error) == (1, "")
    assert "error  team-access  role billing" in told(broken)
    assert "can decrypt with key payments" in told(broken)
    assert "undecided" not in told(broken)


def test_an_update_stops_before_the_key_exists_and_a_clean_one_settles(project: Path) -> None:
    broken = engine(project, KEY_POLICY, "billing").up(skip_preview=True)
    assert broken.exit_code == 1
    assert ROLE in broken.created
    assert KEY not in broken.created
    run = engine(project, KEY_POLICY)
    update = run.up(skip_preview=True)
    assert (update.exit_code, update.error, told(update)) == (0, "", "")
    assert KEY in update.created
    run.state = update.state
    second = run.preview()
    assert (second.exit_code, second.error, told(second)) == (0, "", "")


DERIVED = (
    "text.json.apply(lambda json: json)",
    "pulumi.Output.concat(text.json, ' ')",
    "pulumi.Output.all(text.json, role.arn).apply(lambda both: both[0])",
    "pulumi.Output.format('{0}', text.json)",
    "pulumi.Output.secret(text.json)",
    "pulumi.Output.from_input(text.json)",
    "aws.iam.get_policy_document_output(source_policy_documents=[text.json]).json",
)


def test_what_is_derived_from_the_text_is_not_taken_for_it(project: Path) -> None:
    keys = "".join(
        f"aws.kms.Key('derived-{number}', policy={way})\n" for number, way in enumerate(DERIVED)
    )
    run = engine(project, dedent(KEY_POLICY) + keys)
    preview = run.preview()
    undecided = {item.urn for item in preview.diagnostics if "error  undecided" in item.message}
    assert undecided == {
        f"urn:pulumi:dev::shop::aws:kms/key:Key::derived-{number}" for number in range(len(DERIVED))
    }
    update = run.up(skip_preview=True)
    assert (update.exit_code, told(update)) == (0, "")


def recorded(tmp_path: Path, source: str, operation: str = "preview") -> Run:
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (folder / "__main__.py").write_text(dedent(START.format(name="api")) + dedent(source))
    return watch(tmp_path, folder, operation)


ALL_LEAVES = """
    key = aws.kms.Key("payments", policy=PolicyDocument("all", {
        "Version": "2012-10-17", "Id": "x",
        "Statement": [{
            "Sid": concat("For", role.name), "Effect": "Allow", "NotAction": ["kms:*"],
            "Principal": {"AWS": pulumi.Output.all(role.arn)}, "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": True},
                          "StringEquals": {"aws:userid": role.unique_id,
                                           "aws:sourceVpc": pulumi.Output.secret("vpc-1")}},
        }]}).json)
"""


def test_the_structure_is_shown_with_the_attributes_of_resources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    run = recorded(tmp_path, ALL_LEAVES)
    assert run.outcome.error == ""
    shown = run.one("resource", "all")["props"]
    assert {key: value for key, value in shown.items() if key != "document"} == {
        "ref0": "api",
        "ref1": UNKNOWN,
        "ref2": UNKNOWN,
        "ref3": "vpc-1",
    }
    assert json.loads(shown["document"]) == {
        "Version": "2012-10-17",
        "Id": "x",
        "Statement": [
            {
                "Sid": {
                    "kms-access:joined": [
                        "For",
                        {"kms-access:reference": "ref0", "kms-access:attribute": "name"},
                    ]
                },
                "Effect": "Allow",
                "NotAction": ["kms:*"],
                # A list of outputs is none of the attributes of the role.
                "Principal": {"AWS": {"kms-access:reference": "ref1"}},
                "Resource": "*",
                "Condition": {
                    "Bool": {"aws:SecureTransport": True},
                    "StringEquals": {
                        "aws:userid": {
                            "kms-access:reference": "ref2",
                            "kms-access:attribute": "unique_id",
                        },
                        "aws:sourceVpc": {"kms-access:reference": "ref3"},
                    },
                },
            }
        ],
    }
    in_stack = run.one("stack", "all")
    assert in_stack["properties"] == {"ref0": [ROLE], "ref1": [ROLE], "ref2": [ROLE]}
    assert in_stack["urn"] in run.one("stack", "payments")["properties"]["policy"]


def test_an_update_renders_the_same_policy_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    run = recorded(tmp_path, ALL_LEAVES, "up")
    policy = json.loads(run.one("resource", "payments")["props"]["policy"])
    (statement,) = policy["Statement"]
    arn = "arn:aws:iam::111122223333:role/api"
    assert statement["Sid"] == "Forapi"
    assert statement["Principal"] == {"AWS": [arn]}
    assert statement["Condition"]["Bool"] == {"aws:SecureTransport": True}
    assert statement["Condition"]["StringEquals"]["aws:userid"].startswith("AROA")
    assert statement["Condition"]["StringEquals"]["aws:sourceVpc"] == "vpc-1"


class _Refused(pulumi.Resource):
    def __init__(self) -> None:
        """Only its type matters."""


BAD: Mapping[str, tuple[Any, str]] = {
    "none": (
        {"Statement": [{"Effect": None}]},
        "Effect of a value of Statement of the document is of the type NoneType, accepted are "
        "text, numbers, booleans, lists, mappings and outputs",
    ),
    "resource": (
        {"Statement": {"Principal": {"AWS": _Refused()}}},
        "AWS of Principal of Statement of the document is of the type _Refused, accepted are "
        "text, numbers, booleans, lists, mappings and outputs; give an attribute such as its arn",
    ),
    "key": (
        {1: "x"},
        'the document has the key "1", accepted are elements of policies',
    ),
    "own key": (
        {"kms-access:reference": "ref0"},
        'the document has the key "kms-access:reference", accepted are elements of policies',
    ),
    "joined": (
        {"Id": concat("a", 1)},  # type: ignore[arg-type]
        "a part of Id of the document is of the type int, accepted are text and outputs",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_no_policy_can_hold_is_refused(name: str) -> None:
    document, message = BAD[name]
    with pytest.raises(TypeError) as caught:
        PolicyDocument("bad", document)
    assert str(caught.value) == message


def test_the_reader_knows_the_words_of_the_helper() -> None:
    assert documents.TYPE == tokens.POLICY_DOCUMENT
    assert documents.REFERENCE == composed.REFERENCE
    assert documents.ATTRIBUTE == composed.ATTRIBUTE
    assert documents.JOINED == composed.JOINED


def test_the_helper_needs_pulumi_alone() -> None:
    code = (
        "import sys, policypack.documents; "
        "print(sorted(m for m in sys.modules if m.split('.')[0] in "
        "('kms_access', 'pulumi_policy', 'policypack')))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "['policypack', 'policypack.documents']"
