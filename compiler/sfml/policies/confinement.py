"""Cutting the process of Python policies off: no network, bounded memory and files, where the system can.

This is no sandbox: the process reads what its user can read. It keeps a policy from calling a service by mistake, and
from taking the machine's memory.
"""

from __future__ import annotations

import ctypes
import platform
import socket
import struct
import sys

MEMORY = 1_500_000_000
"""The address space of the process in bytes; numpy alone reserves hundreds of megabytes."""
FILE_SIZE = 1_000_000
"""The largest file that it may write, and so the most that is kept of what it prints."""

# https://docs.kernel.org/userspace-api/seccomp_filter.html and linux/{seccomp,filter,audit,prctl}.h
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE = 0, 4
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 13
"""Let the call pass; answer it with EACCES."""
_X32 = 0x40000000
_IO_URING_SETUP = 425
_CALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""Machine → its architecture in audit.h, and the number of `socket`."""
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def confined() -> str:
    """Confine this process, and say what keeps it from the network: `seccomp`, `namespace`, or `` for nothing."""
    _bound_resources()
    if not sys.platform.startswith("linux"):
        return ""
    try:
        if _without_sockets() and not _opens_sockets():
            return "seccomp"
        if _in_empty_network() and _is_network_empty():
            return "namespace"
    except (OSError, AttributeError, TypeError, ValueError):
        pass  # a system that has none of this
    return ""


def _bound_resources() -> None:
    if sys.platform == "win32":
        return
    import resource

    bounds = {"RLIMIT_AS": MEMORY, "RLIMIT_FSIZE": FILE_SIZE, "RLIMIT_CORE": 0}
    for name, most in bounds.items():
        try:
            kind = getattr(resource, name)
            _, hard = resource.getrlimit(kind)
            bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (bound, bound))
        except (AttributeError, OSError, ValueError):  # a system without this bound
            continue


def _without_sockets() -> bool:
    """Make the kernel refuse `socket`, and `io_uring`, which could stand for it; returns whether it does."""
    if platform.machine() not in _CALLS:
        return False
    architecture, number = _CALLS[platform.machine()]
    # Jumps count the instructions that are left out; the last two answer.
    rules = (
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 0, 5, architecture),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 3, 0, _X32),
        (_EQUAL, 2, 0, number),
        (_EQUAL, 1, 0, _IO_URING_SETUP),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(rules), ctypes.addressof(code)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    if prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(program), 0, 0) == 0)


def _opens_sockets() -> bool:
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        try:
            socket.socket(family, socket.SOCK_STREAM).close()
        except OSError:
            continue
        return True
    return False


def _in_empty_network() -> bool:
    """Move this process into a network without interfaces; the system may not let it."""
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    return bool(unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0)


def _is_network_empty() -> bool:
    return {name for _, name in socket.if_nameindex()} <= {"lo"}
