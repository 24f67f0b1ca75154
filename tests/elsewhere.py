"""This machine as others reach it: an address of its own that isn't loopback's."""

import ipaddress
import socket

import psutil
import pytest


def own_address() -> str:
    """Packets to it stay on this machine. Skips the test if it has none."""
    for found in psutil.net_if_addrs().values():
        for one in found:
            if one.family == socket.AF_INET and not ipaddress.ip_address(one.address).is_loopback:
                return one.address
    pytest.skip("this machine has no address but loopback's")
