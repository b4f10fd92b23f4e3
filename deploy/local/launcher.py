"""Become another program that ends when its parent does.

Run by path with `python -I -S`, standard library only: `launcher.py PARENT_PID DEATH_SIGNAL UID GID PROGRAM ARGUMENT…`.
The kernel forgets the death signal when the user changes, so the order here matters.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_UNCHANGED = -1


def main() -> None:
    """Drop to the user, ask for the death signal, run the program."""
    parent, death_signal, uid, gid = (int(word) for word in sys.argv[1:5])
    program = sys.argv[5:]
    if uid != _UNCHANGED:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if death_signal and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)
    try:
        os.execvp(program[0], program)  # noqa: S606 - the argument list comes from the stack itself
    except OSError as error:
        sys.exit(f"{program[0]}: {error.strerror}")


main()
