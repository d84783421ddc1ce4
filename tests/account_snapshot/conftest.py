"""An account on a moto server that speaks HTTP on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID

from tests.account_snapshot.account import Account, build
from tests.account_snapshot.aws import Aws


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "no-such-file")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server = Aws()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    boto3.client("sts").get_caller_identity()
    import urllib.request

    request = urllib.request.Request(f"{server.url}/moto-api/reset", method="POST")
    urllib.request.urlopen(request).close()
    server.asked.clear()
    yield server
    server.close()


@pytest.fixture
def account(aws: Aws) -> Account:
    account = build(DEFAULT_ACCOUNT_ID)
    aws.asked.clear()
    return account
