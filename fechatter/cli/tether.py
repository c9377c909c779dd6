"""Start a program that ends with its parent: `python tether.py PARENT SIGNAL UID:GID FOLDER PROGRAM ARGUMENTS…`.

Runs alone, on the standard library. It becomes the given user, asks the kernel to send SIGNAL when the parent dies
(Linux; elsewhere nothing happens) and turns into the program. A wrapper and not a hook between fork and exec, because
such a hook may deadlock in a process with threads. The wish is made after the change of user, which would clear it.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int, signal: int) -> None:
    """Have this process receive the signal when the parent dies, also if it is dead already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal)


def _become(uid: int, gid: int) -> None:
    if (os.geteuid(), os.getegid()) == (uid, gid):
        return
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def _main(parent: str, signal: str, owner: str, folder: str, *command: str) -> None:
    os.chdir(folder)
    uid, _, gid = owner.partition(":")
    _become(int(uid), int(gid))
    os.umask(0o077)
    end_with_parent(int(parent), int(signal))
    try:
        os.execv(command[0], command)  # noqa: S606 - no shell is meant
    except OSError as problem:
        sys.stderr.write(f"{command[0]} cannot be started: {problem.strerror}\n")
        sys.exit(126)


if __name__ == "__main__":
    _main(*sys.argv[1:])
