"""Apps with the constructs of other services that make keys and roles."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
from aws_cdk import aws_backup as backup
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_docdb as docdb
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_efs as efs
from aws_cdk import aws_eks as eks
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_opensearchservice as opensearch
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as stepfunctions
from aws_cdk import aws_stepfunctions_tasks as tasks

from tests.sources.cloudformation.cdk_apps import PARTNER_ACCOUNT, role

BUILDS: dict[str, Callable[[cdk.Stack, kms.Key], None]] = {}
"""What each app adds to its stack `S`, which has a key `Key`."""


def construct(build: Callable[[cdk.Stack, kms.Key], None]) -> Callable[[cdk.Stack, kms.Key], None]:
    BUILDS[build.__name__] = build
    return build


@construct
def bucket_with_queue(stack: cdk.Stack, key: kms.Key) -> None:
    queue = sqs.Queue(stack, "Queue", encryption_master_key=key)
    bucket = s3.Bucket(
        stack,
        "Bucket",
        encryption_key=key,
        auto_delete_objects=True,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    bucket.grant_read_write(role(stack))
    created = s3.EventType.OBJECT_CREATED
    bucket.add_event_notification(created, notifications.SqsDestination(queue))


@construct
def queue(stack: cdk.Stack, key: kms.Key) -> None:
    made = sqs.Queue(stack, "Queue", encryption_master_key=key)
    made.grant_send_messages(role(stack, "Sender"))
    made.grant_consume_messages(role(stack, "Receiver"))


@construct
def topic(stack: cdk.Stack, key: kms.Key) -> None:
    sns.Topic(stack, "Topic", master_key=key).grant_publish(role(stack))


@construct
def secret_with_rotation(stack: cdk.Stack, key: kms.Key) -> None:
    secret = secretsmanager.Secret(stack, "Secret", encryption_key=key)
    secret.grant_read(role(stack, "Reader"))
    secret.grant_write(role(stack, "Writer"))
    rotation = secretsmanager.HostedRotation.mysql_single_user()
    secret.add_rotation_schedule("Rotation", hosted_rotation=rotation)


@construct
def relational_database(stack: cdk.Stack, key: kms.Key) -> None:
    version = rds.AuroraPostgresEngineVersion.VER_15_2
    cluster = rds.DatabaseCluster(
        stack,
        "Database",
        engine=rds.DatabaseClusterEngine.aurora_postgres(version=version),
        writer=rds.ClusterInstance.provisioned("writer"),
        vpc=ec2.Vpc(stack, "Vpc"),
        storage_encryption_key=key,
        credentials=rds.Credentials.from_generated_secret("admin", encryption_key=key),
        monitoring_interval=cdk.Duration.seconds(60),
    )
    cluster.add_rotation_single_user()


@construct
def document_database(stack: cdk.Stack, key: kms.Key) -> None:
    docdb.DatabaseCluster(
        stack,
        "Database",
        master_user=docdb.Login(username="admin", kms_key=key),
        vpc=ec2.Vpc(stack, "Vpc"),
        instance_type=ec2.InstanceType("r5.large"),
        kms_key=kms.Key(stack, "Storage"),
        storage_encrypted=True,
    )


@construct
def table(stack: cdk.Stack, key: kms.Key) -> None:
    made = dynamodb.TableV2(
        stack,
        "Table",
        partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
        encryption=dynamodb.TableEncryptionV2.customer_managed_key(key),
    )
    made.grant_read_write_data(role(stack))


@construct
def function(stack: cdk.Stack, key: kms.Key) -> None:
    made = lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_12,
        handler="index.handler",
        code=lambda_.Code.from_inline("pass"),
        environment={"STAGE": "prod"},
        environment_encryption=key,
        dead_letter_queue_enabled=True,
        log_group=logs.LogGroup(stack, "Logs", encryption_key=key),
    )
    key.grant_encrypt(made)


@construct
def container_service(stack: cdk.Stack, key: kms.Key) -> None:
    log = ecs.ExecuteCommandLogConfiguration(
        cloud_watch_log_group=logs.LogGroup(stack, "Logs", encryption_key=key),
        cloud_watch_encryption_enabled=True,
    )
    command = ecs.ExecuteCommandConfiguration(
        kms_key=key, log_configuration=log, logging=ecs.ExecuteCommandLogging.OVERRIDE
    )
    vpc = ec2.Vpc(stack, "Vpc")
    cluster = ecs.Cluster(stack, "Cluster", vpc=vpc, execute_command_configuration=command)
    task = ecs.FargateTaskDefinition(stack, "Task")
    secret = secretsmanager.Secret(stack, "Secret", encryption_key=key)
    task.add_container(
        "Container",
        image=ecs.ContainerImage.from_registry("example"),
        secrets={"TOKEN": ecs.Secret.from_secrets_manager(secret)},
        logging=ecs.LogDriver.aws_logs(stream_prefix="example"),
    )
    ecs.FargateService(
        stack, "Service", cluster=cluster, task_definition=task, enable_execute_command=True
    )


@construct
def kubernetes_cluster(stack: cdk.Stack, key: kms.Key) -> None:
    owner = role(stack)
    key.grant_encrypt_decrypt(owner)
    provider = eks.CfnCluster.ProviderProperty(key_arn=key.key_arn)
    eks.CfnCluster(
        stack,
        "Cluster",
        role_arn=owner.role_arn,
        resources_vpc_config=eks.CfnCluster.ResourcesVpcConfigProperty(subnet_ids=["a", "b"]),
        encryption_config=[
            eks.CfnCluster.EncryptionConfigProperty(provider=provider, resources=["secrets"])
        ],
    )


def _pipeline(stack: cdk.Stack) -> tuple[codepipeline.Pipeline, codepipeline.Artifact]:
    source = codepipeline.Artifact()
    repository = codecommit.Repository(stack, "Repository", repository_name="example")
    pipeline = codepipeline.Pipeline(stack, "Pipeline", cross_account_keys=True)
    action = actions.CodeCommitSourceAction(
        action_name="Pull", repository=repository, output=source
    )
    pipeline.add_stage(stage_name="Source", actions=[action])
    return pipeline, source


@construct
def pipeline_with_build(stack: cdk.Stack, key: kms.Key) -> None:
    pipeline, source = _pipeline(stack)
    project = codebuild.PipelineProject(stack, "Project", encryption_key=key)
    action = actions.CodeBuildAction(action_name="Build", project=project, input=source)
    pipeline.add_stage(stage_name="Build", actions=[action])


@construct
def pipeline_to_another_account(stack: cdk.Stack, key: kms.Key) -> None:
    pipeline, source = _pipeline(stack)
    action = actions.CloudFormationCreateUpdateStackAction(
        action_name="Deploy",
        stack_name="example",
        template_path=source.at_path("template.json"),
        admin_permissions=True,
        account=PARTNER_ACCOUNT,
    )
    pipeline.add_stage(stage_name="Deploy", actions=[action])


@construct
def build_project(stack: cdk.Stack, key: kms.Key) -> None:
    secret = secretsmanager.Secret(stack, "Secret", encryption_key=key)
    kind = codebuild.BuildEnvironmentVariableType.SECRETS_MANAGER
    variable = codebuild.BuildEnvironmentVariable(type=kind, value=secret.secret_arn)
    codebuild.Project(
        stack,
        "Project",
        encryption_key=key,
        build_spec=codebuild.BuildSpec.from_object({"version": "0.2"}),
        environment_variables={"TOKEN": variable},
    )


@construct
def trail(stack: cdk.Stack, key: kms.Key) -> None:
    cloudtrail.Trail(stack, "Trail", encryption_key=key, send_to_cloud_watch_logs=True)


@construct
def backup_plan(stack: cdk.Stack, key: kms.Key) -> None:
    vault = backup.BackupVault(stack, "Vault", encryption_key=key)
    plan = backup.BackupPlan.daily35_day_retention(stack, "Plan", vault)
    chosen = backup.BackupResource.from_tag("backup", "true")
    plan.add_selection("Selection", resources=[chosen], allow_restores=True)


@construct
def file_system(stack: cdk.Stack, key: kms.Key) -> None:
    made = efs.FileSystem(stack, "Files", vpc=ec2.Vpc(stack, "Vpc"), kms_key=key, encrypted=True)
    made.grant_read_write(role(stack))


@construct
def stream(stack: cdk.Stack, key: kms.Key) -> None:
    made = kinesis.Stream(stack, "Stream", encryption_key=key)
    made.grant_read(role(stack, "Reader"))
    made.grant_write(role(stack, "Writer"))


@construct
def delivery_stream(stack: cdk.Stack, key: kms.Key) -> None:
    bucket = s3.Bucket(stack, "Bucket", encryption_key=key)
    firehose.DeliveryStream(
        stack,
        "Delivery",
        destination=firehose.S3Bucket(bucket, encryption_key=key),
        encryption=firehose.StreamEncryption.customer_managed_key(key),
    )


@construct
def state_machine(stack: cdk.Stack, key: kms.Key) -> None:
    send = tasks.SqsSendMessage(
        stack,
        "Send",
        queue=sqs.Queue(stack, "Queue", encryption_master_key=key),
        message_body=stepfunctions.TaskInput.from_text("example"),
    )
    stepfunctions.StateMachine(
        stack,
        "Machine",
        definition_body=stepfunctions.DefinitionBody.from_chainable(send),
        encryption_configuration=stepfunctions.CustomerManagedEncryptionConfiguration(
            kms.Key(stack, "Own")
        ),
    )


@construct
def repository(stack: cdk.Stack, key: kms.Key) -> None:
    ecr.Repository(stack, "Repository", encryption_key=key).grant_pull(role(stack))


@construct
def distribution(stack: cdk.Stack, key: kms.Key) -> None:
    bucket = s3.Bucket(stack, "Bucket", encryption_key=key)
    origin = origins.S3BucketOrigin.with_origin_access_control(bucket)
    behavior = cloudfront.BehaviorOptions(origin=origin)
    cloudfront.Distribution(stack, "Distribution", default_behavior=behavior)


@construct
def search_domain(stack: cdk.Stack, key: kms.Key) -> None:
    opensearch.Domain(
        stack,
        "Domain",
        version=opensearch.EngineVersion.OPENSEARCH_2_11,
        encryption_at_rest=opensearch.EncryptionAtRestOptions(enabled=True, kms_key=key),
        logging=opensearch.LoggingOptions(app_log_enabled=True),
    )


@construct
def instance_with_volume(stack: cdk.Stack, key: kms.Key) -> None:
    instance = ec2.Instance(
        stack,
        "Instance",
        vpc=ec2.Vpc(stack, "Vpc"),
        instance_type=ec2.InstanceType("t3.micro"),
        machine_image=ec2.MachineImage.latest_amazon_linux2023(),
        ssm_session_permissions=True,
    )
    volume = ec2.Volume(
        stack,
        "Volume",
        availability_zone="eu-west-1a",
        size=cdk.Size.gibibytes(1),
        encrypted=True,
        encryption_key=key,
    )
    volume.grant_attach_volume(instance)


@construct
def secure_parameter(stack: cdk.Stack, key: kms.Key) -> None:
    made = ssm.StringParameter.from_secure_string_parameter_attributes(
        stack, "Parameter", parameter_name="/example", version=1, encryption_key=key
    )
    made.grant_read(role(stack, "Reader"))
    made.grant_write(role(stack, "Writer"))


@construct
def scheduled_rule(stack: cdk.Stack, key: kms.Key) -> None:
    made = sqs.Queue(stack, "Queue", encryption_master_key=key)
    hourly = events.Schedule.rate(cdk.Duration.hours(1))
    events.Rule(stack, "Rule", schedule=hourly, targets=[targets.SqsQueue(made)])


@construct
def log_group(stack: cdk.Stack, key: kms.Key) -> None:
    key.grant_encrypt_decrypt(iam.ServicePrincipal("logs.eu-west-1.amazonaws.com"))
    logs.LogGroup(stack, "Logs", encryption_key=key).grant_write(role(stack))
