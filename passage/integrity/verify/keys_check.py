"""Checks that the data keys of cases can be unwrapped, which only the key holder can do."""

from __future__ import annotations

from nats.aio.client import Client

from passage.asking_keyholder import SealedError, asked
from passage.integrity.findings import Findings
from shared.keys.messages import KeysChecked


async def check_keys(client: Client, findings: Findings) -> None:
    """Adds the cases whose keys don't unwrap, or that the check was impossible."""
    try:
        checked = await asked(client, "check", b"", KeysChecked)
    except SealedError as error:
        findings.add("keys", "key holder", f"data keys were not looked at: {error}", "warning")
        return
    for case_id in checked.damaged:
        findings.add("keys", f"case {case_id}", "its data keys don't unwrap")
    for case_id in checked.dropped:
        said = "its data keys are of a dropped epoch: what they sealed counts as erased"
        findings.add("keys", f"case {case_id}", said, "warning")
