"""AWS managed policies against K185 and K187; for detours see `test_detour_actions`."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from kms_access.inventory.managed_policies import managed_policy, vendored_policies
from kms_access.policies.answers import Truth
from kms_access.policies.context import RequestContext
from kms_access.policies.document import Effect, PolicyDocument, Statement
from kms_access.policies.grammar import IDENTITY_POLICY, PERMISSIONS_BOUNDARY
from kms_access.policies.text import DIGIT, Unknown, Value, concat

ROOT = Path(__file__).parents[2]
DATA = json.loads(
    (ROOT / "kms_access" / "inventory" / "managed_policies.json").read_text(encoding="utf-8")
)
OF_DEPLOYMENT = Unknown("the partition of the deployment", "[a-z-]")
KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def arn_of(name: str, partition: str | Unknown = "aws") -> Value:
    return concat(("arn:", partition, ":iam::aws:policy/", name))


def known(name: str, partition: str | Unknown = "aws") -> PolicyDocument:
    document = managed_policy(arn_of(name, partition))
    assert document is not None
    return document


def allowing(name: str, action: str, partition: str | Unknown = "aws") -> list[Statement]:
    return [
        statement
        for statement in known(name, partition).statements
        if statement.effects == {Effect.ALLOW}
        and statement.action is not None
        and statement.action.matches(action).truth is Truth.TRUE
    ]


def always_allow(action: str) -> set[str]:
    """The policies with a statement that allows the action on `*` without a condition."""
    return {
        name
        for name in DATA["policies"]
        for statement in allowing(name, action)
        if not statement.conditions
        and statement.resource is not None
        and [pattern.source for pattern in statement.resource.patterns] == ["*"]
        and not statement.resource.negated
    }


ADMINISTRATORS = {"AdministratorAccess", "PowerUserAccess", "AIDevOpsAgentActionsPolicy"}


class TestFacts:
    def test_extent_and_date_of_k185(self) -> None:
        found = vendored_policies()
        assert (found.count, found.count_with_kms, found.count_with_detours) == (1582, 229, 341)
        assert (found.newest_change, found.moto) == (date(2026, 9, 30), "5.2.5")
        assert len(DATA["policies"]) + len(DATA["names_alone"]) == found.count
        named = {
            name
            for name in DATA["policies"]
            for statement in known(name).statements
            if statement.action is not None and not statement.action.negated
            for pattern in statement.action.patterns
            if str(pattern.source).startswith("kms:")
        }
        assert len(named) == 218

    @pytest.mark.parametrize(
        ("action", "others"),
        [
            (
                "kms:Decrypt",
                {
                    "AmazonCognitoUnAuthedIdentitiesSessionPolicy",
                    "AmazonSecurityLakePermissionsBoundary",
                },
            ),
            ("kms:PutKeyPolicy", set()),
            ("kms:ScheduleKeyDeletion", set()),
            ("kms:CreateGrant", {"AmazonMSKFullAccess"}),
        ],
    )
    def test_always_allowed_on_every_key_as_k187(self, action: str, others: set[str]) -> None:
        assert always_allow(action) == ADMINISTRATORS | others

    @pytest.mark.parametrize("name", ["PowerUserAccess", "AIDevOpsAgentActionsPolicy"])
    def test_k21_policies_that_reach_kms_by_not_action(self, name: str) -> None:
        (statement,) = allowing(name, "kms:Decrypt")
        assert statement.action is not None
        assert statement.action.negated
        assert "iam:*" in [pattern.source for pattern in statement.action.patterns]

    @pytest.mark.parametrize(
        "name", ["service-role/AWSLambdaBasicExecutionRole", "AmazonSQSFullAccess"]
    )
    @pytest.mark.parametrize("partition", ["aws", OF_DEPLOYMENT], ids=str)
    def test_a_policy_of_other_actions_is_known_to_give_nothing(
        self, name: str, partition: str | Unknown
    ) -> None:
        document = known(name, partition)
        assert (document.statements, document.problems, document.unreadable) == ((), (), None)

    def test_a_boundary_keeps_its_denies(self) -> None:
        document = known("AmazonSecurityLakePermissionsBoundary")
        denies = {s.index: s for s in document.statements if s.effects == {Effect.DENY}}
        assert set(denies) == {1, 4, 5, 6}
        answers = {
            action: denies[1].covers(action, KEY, RequestContext({})).truth
            for action in ("kms:PutKeyPolicy", "kms:Decrypt")
        }
        assert answers == {"kms:PutKeyPolicy": Truth.TRUE, "kms:Decrypt": Truth.FALSE}

    def test_statements_keep_their_place_in_the_policy_of_aws(self) -> None:
        (statement,) = known("ReadOnlyAccess").statements
        assert (statement.index, statement.sid) == (1, "ReadOnlyActionsGroup2")

    def test_a_document_is_of_the_grammar_that_is_asked_for(self) -> None:
        for grammar in (IDENTITY_POLICY, PERMISSIONS_BOUNDARY):
            for name in ("AdministratorAccess", "AmazonSQSFullAccess"):
                document = managed_policy(arn_of(name), grammar)
                assert document is not None
                assert document.grammar is grammar


class TestDocuments:
    @pytest.mark.parametrize("partition", ["aws", OF_DEPLOYMENT], ids=str)
    def test_every_document_is_read_without_errors(self, partition: str | Unknown) -> None:
        errors = {
            (name, problem.rule)
            for name in DATA["policies"]
            for problem in known(name, partition).errors
        }
        # Only AWS can attach it: it is of a service-linked role. K32 leaves the statement open.
        refused_by_k32 = "aws-service-role/AmazonTimestreamInfluxDBServiceRolePolicy"
        assert errors == {(refused_by_k32, "K32")}

    def test_no_document_is_unreadable_or_empty(self) -> None:
        for name in DATA["policies"]:
            document = known(name)
            assert document.unreadable is None
            assert document.statements, name
            assert all(statement.uncertain is None for statement in document.statements), name

    def test_an_unknown_partition_leaves_open_what_is_given(self) -> None:
        (statement,) = allowing("AmazonMSKFullAccess", "kms:CreateGrant", OF_DEPLOYMENT)
        assert statement.uncertain is not None
        assert statement.uncertain.text == (
            'whether "AmazonMSKFullAccess" of <the partition of the deployment>'
            ' is the same as that of "aws"'
        )
        answer = statement.covers("kms:CreateGrant", KEY, RequestContext({}))
        assert answer.truth is Truth.UNKNOWN
        assert allowing("AmazonMSKFullAccess", "kms:Decrypt", OF_DEPLOYMENT) == []

    def test_arns_in_a_policy_are_of_the_partition_of_the_policy(self) -> None:
        name = next(n for n, p in DATA["policies"].items() if '"arn:aws:kms:' in json.dumps(p))
        sources = [
            pattern.source
            for statement in known(name, OF_DEPLOYMENT).statements
            if statement.resource is not None
            for pattern in statement.resource.patterns
        ]
        assert sources
        assert not [source for source in sources if str(source).startswith("arn:aws:")]
        assert [source for source in sources if "<the partition of the d" in str(source)]


class TestUnknownPolicies:
    @pytest.mark.parametrize(
        "arn",
        [
            arn_of("NewerThanTheData"),
            arn_of("AWSLambdaBasicExecutionRole"),
            arn_of("administratoraccess"),
            arn_of("AdministratorAccess", "aws-cn"),
            arn_of("AmazonSQSFullAccess", "aws-us-gov"),
            arn_of("AdministratorAccess", Unknown("a China partition", shape="aws-cn")),
            concat(("arn:aws-", Unknown("a suffix"), ":iam::aws:policy/AdministratorAccess")),
            concat(("arn:aws:iam::aws:policy/", Unknown("a name"))),
            concat(("arn:aws:iam::", Unknown("an account", DIGIT), ":policy/AdministratorAccess")),
            concat((Unknown("an ARN"),)),
            "arn:aws:iam::111122223333:policy/AdministratorAccess",
            "arn:aws:iam::aws:role/AdministratorAccess",
            "arn:aws:iam:eu-central-1:aws:policy/AdministratorAccess",
            "arn:aws:kms::aws:policy/AdministratorAccess",
            "AdministratorAccess",
            "",
        ],
        ids=str,
    )
    def test_content_is_not_known(self, arn: Value) -> None:
        assert managed_policy(arn) is None
