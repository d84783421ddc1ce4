"""The pack under the real `pulumi` command, offline: a stand-in plays the AWS provider."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from .programs import RULES
from .test_with_engine import BROKEN, CLEAN, PACK, write_program

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec")
MISSING = [command for command in COMMANDS if shutil.which(command) is None]

pytestmark = pytest.mark.skipif(
    bool(MISSING),
    reason=(
        f"{', '.join(MISSING)} not on PATH: no Python or npm package holds them; unpack Pulumi's "
        "release archive (https://www.pulumi.com/docs/iac/download-install/) into a folder on PATH"
    ),
)

# Enough of a provider for a preview: inputs are checked and echoed, what is computed is unknown.
PROVIDER = """
    import sys
    import time
    from concurrent import futures

    sys.path.append({root!r})
    import grpc
    from google.protobuf import empty_pb2
    from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
    from tests.small_engine import provider
    from tests.small_engine.model import Resource
    from tests.small_engine.provider import Instance
    from tests.small_engine.values import from_struct, to_struct

    SETTINGS = Resource(
        urn="urn:pulumi:dev::shop::pulumi:providers:aws::default", type="pulumi:providers:aws",
        custom=True, inputs={{"region": "eu-central-1"}})

    def place(request):
        _, _, qualified, name = request.urn.split("::", 3)
        return qualified.rpartition("$")[2], name

    class Provider(provider_pb2_grpc.ResourceProviderServicer):
        def Handshake(self, request, context):
            return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

        def GetPluginInfo(self, request, context):
            return plugin_pb2.PluginInfo(version="99.0.0")

        def GetSchema(self, request, context):
            return provider_pb2.GetSchemaResponse(schema='{{"name": "aws", "version": "99.0.0"}}')

        def CheckConfig(self, request, context):
            return provider_pb2.CheckResponse(inputs=request.news)

        def DiffConfig(self, request, context):
            return provider_pb2.DiffResponse()

        def Configure(self, request, context):
            return provider_pb2.ConfigureResponse(supportsPreview=True, acceptSecrets=True)

        def Check(self, request, context):
            token, name = place(request)
            olds = from_struct(request.olds) or None
            news, _ = provider.check(
                token, name, from_struct(request.news), olds, Instance(SETTINGS))
            return provider_pb2.CheckResponse(inputs=to_struct(news))

        def Create(self, request, context):
            token, _ = place(request)
            planned = provider.preview_create(
                token, from_struct(request.properties), Instance(SETTINGS))
            return provider_pb2.CreateResponse(properties=to_struct(planned))

        def Cancel(self, request, context):
            return empty_pb2.Empty()

    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    while True:
        time.sleep(3600)
"""


@pytest.fixture
def environment(project: Path, tmp_path: Path) -> dict[str, str]:
    """Everything that the command needs, so that it neither asks nor downloads."""
    tools = tmp_path / "bin"
    tools.mkdir()
    provider = tools / "pulumi-resource-aws"
    provider.write_text(f"#!{sys.executable}\n{dedent(PROVIDER.format(root=str(ROOT)))}")
    provider.chmod(0o755)
    state = tmp_path / "state"
    state.mkdir()
    (project / "access-rules.yaml").write_text(RULES)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")},
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_PYTHON_CMD": sys.executable,
        "PYTHONPATH": str(ROOT),
    }


def pulumi(project: Path, environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    ended = subprocess.run(
        ["pulumi", *arguments, "--non-interactive"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def preview(project: Path, environment: dict[str, str], source: str) -> tuple[int, str]:
    write_program(project, source)
    code, output = pulumi(project, environment, "stack", "init", "dev")
    assert code == 0, output
    return pulumi(project, environment, "preview", "--policy-pack", str(PACK))


def test_a_clean_preview_passes(project: Path, environment: dict[str, str]) -> None:
    code, output = preview(project, environment, CLEAN)
    assert code == 0, output
    assert "0 findings, 0 undecided" in output


def test_a_broken_preview_is_blocked(project: Path, environment: dict[str, str]) -> None:
    code, output = preview(project, environment, BROKEN)
    assert code != 0, output
    assert "[mandatory]" in output
    assert "kms-access-stack" in output
    assert "role billing can decrypt with key alias/payments" in output
    assert "access-rules.yaml:7" in output
