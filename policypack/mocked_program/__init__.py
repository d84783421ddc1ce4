"""Runs a Pulumi program under mocks: no engine, no plugin, no cloud, and every ARN made up.

`python -P policypack/mocked_program` is started by `kms_access.sources.pulumi.program`, which
reads what is written here and knows which values are made up.
"""
