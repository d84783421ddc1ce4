"""Account, Region and partition of a stack: the pseudo parameters that they give."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from kms_access.policies.text import DIGIT, Text, Unknown, Value, concat

REGION_CHARACTER = r"[a-z0-9-]"
PARTITION_CHARACTER = r"[a-z-]"

_PARTITIONS = (
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
    ("", "aws", "amazonaws.com"),
)
_LITERAL_PARTITION = re.compile(r"arn:(aws[a-z-]*):")
_IN_A_WORD = re.compile(r"\w")
_PLACEHOLDER = re.compile(r"\$\{(AWS::[A-Za-z]+)\}")

UNKNOWN_ACCOUNT = Text((Unknown("the account of the deployment", DIGIT, shape=r"[0-9]{12}"),))
UNKNOWN_REGION = Text((Unknown("the Region of the deployment", REGION_CHARACTER),))
UNKNOWN_PARTITION = Text((Unknown("the partition of the deployment", PARTITION_CHARACTER),))
UNKNOWN_SUFFIX = Text((Unknown("the URL suffix of the deployment", r"[a-z0-9.-]"),))


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a stack is deployed.

    Stacks without a fixed account or Region share one unknown part each: one run deploys them
    with one set of credentials.
    """

    account: Value = UNKNOWN_ACCOUNT
    region: Value = UNKNOWN_REGION
    partition: Value = UNKNOWN_PARTITION
    url_suffix: Value = UNKNOWN_SUFFIX

    @classmethod
    def of(cls, account: Value, region: Value) -> Environment:
        """The environment of an account and a Region, each known or not."""
        if not isinstance(region, str):
            return cls(account, region)
        for prefix, partition, suffix in _PARTITIONS:
            if region.startswith(prefix):
                return cls(account, region, partition, suffix)
        return cls(account, region)

    def with_account(self, account: str) -> Environment:
        """The same environment, in this account if it has none yet and one is given."""
        if not account or self.account != UNKNOWN_ACCOUNT:
            return self
        return replace(self, account=account)

    def in_partition(self, partition: str) -> Environment:
        """The same environment, in a partition that is known from elsewhere."""
        for _, name, suffix in _PARTITIONS:
            if name == partition:
                return replace(self, partition=partition, url_suffix=suffix)
        return replace(self, partition=partition)

    def pseudo_parameter(self, name: str) -> Value | None:
        """The value of `AWS::AccountId`, `Region`, `Partition` or `URLSuffix`; None for others."""
        return {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": self.partition,
            "AWS::URLSuffix": self.url_suffix,
        }.get(name)

    def substitute(self, text: str) -> Value:
        """A string of a manifest with its `${AWS::…}` placeholders filled in."""
        pieces: list[Value | Unknown] = []
        end = 0
        for match in _PLACEHOLDER.finditer(text):
            value = self.pseudo_parameter(match.group(1))
            pieces.append(text[end : match.start()])
            pieces.append(match.group() if value is None else value)
            end = match.end()
        return concat((*pieces, text[end:]))


def partition_of_literals(texts: Iterable[str]) -> str | None:
    """The partition of the ARNs that templates spell out; None if they name none or several.

    AWS refuses a policy that names a resource of another partition, so templates with literal
    ARNs can be deployed in that partition only.
    """
    found = {
        match.group(1)
        for text in texts
        for match in _LITERAL_PARTITION.finditer(text)
        if not _IN_A_WORD.match(text, match.start() - 1, match.start())
    }
    return found.pop() if len(found) == 1 else None
