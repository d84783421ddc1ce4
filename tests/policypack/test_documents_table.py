"""The table of docs/pulumi.md: which ways of building a key policy are decided, and when.

Every cell is what the policy pack says about a real program. With KMS_ACCESS_UPDATE_DOCS=1 in the
environment the test writes the table instead of comparing it.
"""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent, indent

from tests.small_engine import Engine, Outcome

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "pulumi.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"
RULES = """
version: 1
accounts: {main: "111122223333"}
teams:
  payments: {principals: [role/payments-*]}
keys:
  - name: payments data
    match: {urn: "*Key::k*"}
    allow:
      payments: [use, view]
"""
START = """
    import json
    import pulumi
    import pulumi_aws as aws
    from policypack.documents import PolicyDocument

    ACCOUNT = "111122223333"
    TRUST = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole",
         "Principal": {"Service": "lambda.amazonaws.com"}}]}

    def document(principal):
        return {"Version": "2012-10-17", "Statement": [
            {"Sid": "Account", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
             "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
            {"Sid": "Users", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
             "Principal": {"AWS": principal}}]}

    def statements(principal):
        return [
            {"actions": ["kms:*"], "resources": ["*"], "principals": [
                {"type": "AWS", "identifiers": [f"arn:aws:iam::{ACCOUNT}:root"]}]},
            {"actions": ["kms:Decrypt"], "resources": ["*"], "principals": [
                {"type": "AWS", "identifiers": [principal]}]}]

    def literal(name):
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"
"""
# Each gives the role `role`, whose name is `NAME`, the use of the key `KEY`.
WAYS = {
    "literal ARNs, `json.dumps`": """
        aws.kms.Key(KEY, policy=json.dumps(document(literal(NAME))))
    """,
    "account id of `get_caller_identity`, role name": """
        account = aws.get_caller_identity().account_id
        arn = f"arn:aws:iam::{account}:role/{NAME}"
        aws.kms.Key(KEY, policy=json.dumps(document(arn)))
    """,
    "`role.name.apply`, ARN from account and name": """
        aws.kms.Key(KEY, policy=role.name.apply(
            lambda name: json.dumps(document(literal(name)))))
    """,
    "`role.arn.apply`": """
        aws.kms.Key(KEY, policy=role.arn.apply(lambda arn: json.dumps(document(arn))))
    """,
    "`Output.concat` with `role.arn`": """
        before, after = json.dumps(document("ROLE")).split("ROLE")
        aws.kms.Key(KEY, policy=pulumi.Output.concat(before, role.arn, after))
    """,
    "`Output.json_dumps` with `role.arn`": """
        aws.kms.Key(KEY, policy=pulumi.Output.json_dumps(document(role.arn)))
    """,
    "`get_policy_document`, literal ARNs": """
        written = aws.iam.get_policy_document(statements=statements(literal(NAME)))
        aws.kms.Key(KEY, policy=written.json)
    """,
    "`get_policy_document_output` with `role.arn`": """
        written = aws.iam.get_policy_document_output(statements=statements(role.arn))
        aws.kms.Key(KEY, policy=written.json)
    """,
    "`aws-native` key, policy as a mapping with `role.arn`": """
        pulumi.CustomResource("aws-native:kms:Key", KEY, {"keyPolicy": document(role.arn)})
    """,
    "`policypack.documents.PolicyDocument` with `role.arn`": """
        aws.kms.Key(KEY, policy=PolicyDocument(KEY, document(role.arn)).json)
    """,
}


def program(team: str) -> str:
    source = dedent(START)
    for number, way in enumerate(WAYS.values()):
        lines = [
            f'NAME, KEY = "{team}-{number}", "k{number}"',
            "role = aws.iam.Role(NAME, name=NAME, assume_role_policy=TRUST)",
            dedent(way).strip(),
        ]
        source += f"def way{number}():\n{indent(chr(10).join(lines), '    ')}\nway{number}()\n"
    return source


def engine(project: Path, team: str) -> Engine:
    (project / "access-rules.yaml").write_text(RULES)
    (project / "__main__.py").write_text(program(team))
    environment = {"PWD": str(project), "PYTHONPATH": str(ROOT)}
    return Engine(program=project, policy_pack=ROOT / "policypack", environment=environment)


def cells(outcome: Outcome, violation: str = "") -> list[str]:
    """Of each key whether it is decided; with `violation` that must be told of what is."""
    told: dict[int, str] = {}
    for diagnostic in outcome.diagnostics:
        number = int(diagnostic.urn.rpartition("::k")[2])
        told[number] = told.get(number, "") + diagnostic.message
    found = []
    for number in range(len(WAYS)):
        message = told.get(number, "")
        is_undecided = "error  undecided" in message
        assert bool(message) is (is_undecided or bool(violation)), message
        if violation and not is_undecided:
            assert f"role billing-{number} can decrypt" in message
        found.append("undecided" if is_undecided else "decided")
    return found


def test_the_table_of_the_documentation_is_what_the_pack_says(project: Path) -> None:
    run = engine(project, "payments")
    first = cells(run.preview())
    # The other verdict is reached for the same ways.
    assert cells(engine(project, "billing").preview(), "team-access") == first
    run = engine(project, "payments")
    update = run.up(skip_preview=True)
    made = {urn.rpartition("::")[2] for urn in update.created if ":Key::" in urn}
    assert made == {f"k{number}" for number in range(len(WAYS))}
    run.state = update.state
    second = run.preview()
    rows = zip(WAYS, first, cells(second), cells(update), strict=True)
    assert "undecided" in first
    assert "decided" in first
    table = "".join(
        [
            "| the key policy is built with | first preview | second preview | `up` |\n",
            "| --- | --- | --- | --- |\n",
            *(f"| {' | '.join(row)} |\n" for row in rows),
        ]
    )
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    if os.environ.get("KMS_ACCESS_UPDATE_DOCS"):
        PAGE.write_text(f"{before}{BEGIN}{table}{END}{after}", encoding="utf-8")
    assert text == f"{before}{BEGIN}{table}{END}{after}"
