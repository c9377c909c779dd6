"""Who PostgreSQL runs as, and its way to the folders it needs.

    owner_for(pgdata)             → Owner: PostgreSQL refuses to run as root
    open_path(path, owner)        let the owner pass through the folders above, and nobody else

As root, PostgreSQL gets a system user, `fechatter`. Folders that it cannot pass (a closed home folder) get an
access-list entry for that one user, instead of being opened to everyone.
"""

import os
import pwd
import shutil
import struct
import subprocess
import sys
from pathlib import Path

from msgspec import Struct

from fechatter.domain.errors import OperatorError

SYSTEM_USER = "fechatter"

ACL = "system.posix_acl_access"
ACL_VERSION = 2
USER_OBJ, USER, GROUP_OBJ, MASK, OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
NOBODY = 0xFFFF_FFFF
PASS = 1

Entry = tuple[int, int, int]
"""Tag, permissions, user or group id."""


class Owner(Struct, frozen=True):
    """The system user that PostgreSQL runs as and that its files belong to."""

    uid: int
    gid: int


def owner_for(pgdata: Path) -> Owner:
    """This user; for root the owner of the folder that exists, else the system user, made if it is missing."""
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid())
    if pgdata.exists() and (found := pgdata.stat()).st_uid != 0:
        return Owner(found.st_uid, found.st_gid)
    entry = _find_user() or _add_user()
    return Owner(entry.pw_uid, entry.pw_gid)


def open_path(path: Path, owner: Owner) -> None:
    """Let the owner reach `path`. OperatorError where the file system has no access lists."""
    if os.geteuid() != 0:
        return
    for folder in reversed(path.absolute().parents):
        if not _may_pass(folder, owner):
            _grant_pass(folder, owner)


def _find_user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return None


def _add_user() -> pwd.struct_passwd:
    """Two runs may race: only the outcome counts."""
    reason = "there is no useradd or adduser"
    for command in (
        ["useradd", "-r", "-U", "-M", "-d", "/nonexistent", "-s", "/bin/false", SYSTEM_USER],
        ["adduser", "-S", "-D", "-H", "-s", "/bin/false", SYSTEM_USER],
    ):
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
            reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else reason
        if entry := _find_user():
            return entry
    raise OperatorError(
        f"PostgreSQL does not run as root, and the system user '{SYSTEM_USER}' for it cannot be made ({reason}): "
        "make that user, run Fechatter as an ordinary user, or set DATABASE_URL."
    )


def _may_pass(folder: Path, owner: Owner) -> bool:
    found = folder.stat()
    if found.st_uid == owner.uid:
        return bool(found.st_mode & 0o100)
    entries = _read_entries(folder)
    mask = next((permissions for tag, permissions, _ in entries if tag == MASK), 7)
    for tag, permissions, who in entries:
        if tag == USER and who == owner.uid:
            return bool(permissions & mask & PASS)
    if found.st_gid == owner.gid:
        return bool(found.st_mode & 0o010)
    return bool(found.st_mode & 0o001)


def _grant_pass(folder: Path, owner: Owner) -> None:
    try:
        _write_entries(folder, [*_without(folder, owner), (USER, PASS, owner.uid)])
    except (OSError, AttributeError) as problem:
        raise OperatorError(
            f"PostgreSQL's system user cannot pass through {folder}: choose a data folder elsewhere with "
            f"FECHATTER_DATA_DIR, or run 'chmod o+x {folder}'."
        ) from problem
    sys.stderr.write(f"The system user {SYSTEM_USER} (PostgreSQL) may now pass through {folder}; nobody else may.\n")


def _without(folder: Path, owner: Owner) -> list[Entry]:
    return [entry for entry in _read_entries(folder) if entry[0] != USER or entry[2] != owner.uid]


def _read_entries(folder: Path) -> list[Entry]:
    """The access list; for a folder without one, what its mode says."""
    try:
        packed = os.getxattr(folder, ACL)
    except (OSError, AttributeError):
        mode = folder.stat().st_mode
        return [(USER_OBJ, mode >> 6 & 7, NOBODY), (GROUP_OBJ, mode >> 3 & 7, NOBODY), (OTHER, mode & 7, NOBODY)]
    return [struct.unpack_from("<HHI", packed, offset) for offset in range(4, len(packed), 8)]


def _write_entries(folder: Path, entries: list[Entry]) -> None:
    """In the order the kernel asks for, with a mask that holds what users and groups are given."""
    mask = 0
    for tag, permissions, _ in entries:
        if tag not in (USER_OBJ, OTHER):
            mask |= permissions
    kept = [entry for entry in entries if entry[0] != MASK]
    packed = struct.pack("<I", ACL_VERSION)
    for entry in sorted([*kept, (MASK, mask, NOBODY)], key=lambda entry: (entry[0], entry[2])):
        packed += struct.pack("<HHI", *entry)
    os.setxattr(folder, ACL, packed)
