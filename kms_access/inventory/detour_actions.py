"""The actions of other services by which somebody reaches a KMS key by a detour (K158-K163).

`managed_policies` answers for all of them, besides those of KMS. They are named as AWS spells them;
IAM compares action names without case (K19).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

IDENTITY_POLICY_WRITES = frozenset(
    {
        "iam:PutUserPolicy",
        "iam:PutGroupPolicy",
        "iam:PutRolePolicy",
        "iam:AttachUserPolicy",
        "iam:AttachGroupPolicy",
        "iam:AttachRolePolicy",
        "iam:CreatePolicyVersion",
        "iam:SetDefaultPolicyVersion",
        "iam:AddUserToGroup",
    }
)
"""Any of them can give an identity what the key policy delegates to the account (K158)."""

IDENTITY_POLICY_REMOVALS = frozenset(
    {
        "iam:DeleteUserPolicy",
        "iam:DeleteGroupPolicy",
        "iam:DeleteRolePolicy",
        "iam:DetachUserPolicy",
        "iam:DetachGroupPolicy",
        "iam:DetachRolePolicy",
        "iam:RemoveUserFromGroup",
    }
)
"""Any of them can lift a Deny of an identity-based policy; none gives anything by itself (K158)."""

BOUNDARY_WRITES = frozenset(
    {
        "iam:PutUserPermissionsBoundary",
        "iam:PutRolePermissionsBoundary",
        "iam:DeleteUserPermissionsBoundary",
        "iam:DeleteRolePermissionsBoundary",
    }
)
"""Any of them can lift the cap of a permissions boundary; none gives anything by itself (K158)."""

IMPERSONATIONS: Mapping[str, str] = MappingProxyType(
    {
        "iam:CreateAccessKey": "user",
        "iam:CreateLoginProfile": "user",
        "iam:UpdateLoginProfile": "user",
        "iam:UpdateAssumeRolePolicy": "role",
    }
)
"""Actions that let the caller act as another identity, and the kind of that identity (K159)."""

ROLE_ASSUMPTIONS = frozenset(
    {"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"}
)
"""Each gives a role's access to those that the role's trust policy admits for it (K160)."""

PRINCIPAL_TAG_WRITES = frozenset({"iam:TagUser", "iam:TagRole", "sts:TagSession"})
"""They give access where a condition on `aws:PrincipalTag` decides (K163)."""

PASS_ROLE = "iam:PassRole"
"""Needed on the role, besides one way of `COMPUTE_STARTS` (K161)."""

_PIPELINE = frozenset(
    {
        "datapipeline:CreatePipeline",
        "datapipeline:PutPipelineDefinition",
        "datapipeline:ActivatePipeline",
    }
)

COMPUTE_STARTS: Mapping[str, tuple[frozenset[str], ...]] = MappingProxyType(
    {
        "lambda.amazonaws.com": (
            frozenset({"lambda:CreateFunction", "lambda:InvokeFunction"}),
            frozenset({"lambda:CreateFunction", "lambda:AddPermission"}),
            frozenset({"lambda:CreateFunction", "lambda:CreateEventSourceMapping"}),
            frozenset({"lambda:UpdateFunctionConfiguration"}),
        ),
        "ec2.amazonaws.com": (
            frozenset({"ec2:RunInstances"}),
            frozenset({"ec2:AssociateIamInstanceProfile"}),
            frozenset({"elasticmapreduce:RunJobFlow"}),
            _PIPELINE,
        ),
        "ecs-tasks.amazonaws.com": (
            frozenset({"ecs:RunTask"}),
            frozenset({"ecs:StartTask"}),
            frozenset({"ecs:RegisterTaskDefinition", "ecs:CreateService"}),
            frozenset({"ecs:RegisterTaskDefinition", "ecs:UpdateService"}),
            frozenset({"batch:RegisterJobDefinition", "batch:SubmitJob"}),
        ),
        "glue.amazonaws.com": (
            frozenset({"glue:CreateJob", "glue:StartJobRun"}),
            frozenset({"glue:CreateJob", "glue:CreateTrigger"}),
            frozenset({"glue:CreateDevEndpoint"}),
        ),
        "cloudformation.amazonaws.com": (frozenset({"cloudformation:CreateStack"}),),
        "codebuild.amazonaws.com": (
            frozenset({"codebuild:StartBuild"}),
            frozenset({"codebuild:CreateProject", "codebuild:CreateWebhook"}),
        ),
        "sagemaker.amazonaws.com": (
            frozenset({"sagemaker:CreateNotebookInstance"}),
            frozenset({"sagemaker:CreateTrainingJob"}),
        ),
        "datapipeline.amazonaws.com": (_PIPELINE,),
        "states.amazonaws.com": (
            frozenset({"states:CreateStateMachine", "states:StartExecution"}),
        ),
        "ssm.amazonaws.com": (frozenset({"ssm:StartAutomationExecution"}),),
        "elasticmapreduce.amazonaws.com": (frozenset({"elasticmapreduce:RunJobFlow"}),),
        "tasks.apprunner.amazonaws.com": (frozenset({"apprunner:CreateService"}),),
    }
)
"""The ways to start compute with a passed role, by the service that takes the role (K161).

The key is the service principal that the role's trust policy must admit. Any one way suffices; of
a way all actions are needed. Some ways work on what is there already: RunTask, StartTask and
StartBuild put another role in the place of that of a task definition or project,
UpdateFunctionConfiguration of that of a function; UpdateService runs the new task definition and
AssociateIamInstanceProfile gives the role to a running instance. SubmitJob, InvokeFunction and
other actions that take no role are no way alone.
"""

PASSED_TO_SERVICE: Mapping[str, str] = MappingProxyType(
    {"tasks.apprunner.amazonaws.com": "apprunner.amazonaws.com"}
)
"""`iam:PassedToService` where it is not the service principal that takes the role.

AWS's policy AWSAppRunnerFullAccess limits iam:PassRole to this value.
"""

DETOUR_ACTIONS: frozenset[str] = frozenset({PASS_ROLE}).union(
    IDENTITY_POLICY_WRITES,
    IDENTITY_POLICY_REMOVALS,
    BOUNDARY_WRITES,
    IMPERSONATIONS,
    ROLE_ASSUMPTIONS,
    PRINCIPAL_TAG_WRITES,
    *(way for ways in COMPUTE_STARTS.values() for way in ways),
)
"""All actions of this module."""
