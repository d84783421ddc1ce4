"""Fn::Base64 and Fn::Cidr: computed where everything is known, else a part with a name."""

from __future__ import annotations

import base64
import ipaddress
import re
from itertools import islice
from typing import Any

from kms_access.policies.text import unknown_text
from kms_access.sources.cloudformation.resolver import Resolver
from kms_access.sources.cloudformation.stacks import Stack
from kms_access.sources.cloudformation.values import as_value, digest

_MAXIMUM_BLOCKS = 256
"""CloudFormation takes a count of 1 to 256."""
_NUMBER = re.compile(r"[0-9]{1,3}", re.ASCII)


def base64_of(resolver: Resolver, stack: Stack, argument: Any) -> Any:
    """`Fn::Base64 text`."""
    value = as_value(resolver.resolve(argument, stack))
    if isinstance(value, str):
        return base64.b64encode(value.encode("utf-8")).decode("ascii")
    return unknown_text(f"a Base64 text of {stack.identity} {digest(argument)}")


def cidr(resolver: Resolver, stack: Stack, argument: Any) -> Any:
    """`Fn::Cidr [block, count, bits]`: the first blocks with so many bits for hosts."""
    resolved = resolver.resolve(argument, stack)
    blocks = None
    if isinstance(resolved, list) and len(resolved) == 3:
        blocks = _blocks(*(as_value(item) for item in resolved))
    return blocks or unknown_text(f"address blocks of {stack.identity} {digest(resolved)}")


def _blocks(block: Any, count: Any, bits: Any) -> list[str] | None:
    for value in (block, count, bits):
        if not isinstance(value, str):
            return None
    if not _NUMBER.fullmatch(count) or not _NUMBER.fullmatch(bits):
        return None
    try:
        network = ipaddress.ip_network(block)
        prefix = network.max_prefixlen - int(bits)
        found = [str(one) for one in islice(network.subnets(new_prefix=prefix), int(count))]
    except ValueError:
        return None
    return found if len(found) == int(count) <= _MAXIMUM_BLOCKS else None
