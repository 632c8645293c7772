"""Where the embedded servers keep their files, and as whom they run."""

import hashlib
import json
import os
import pwd
import stat
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

UNPRIVILEGED_ACCOUNTS = ("postgres", "nobody")
ELSEWHERE = Path("/var/tmp")  # noqa: S108 - outlives a restart of the machine; `claim` refuses what is not ours
SHORT = Path("/tmp")  # noqa: S108 - the same
LONGEST_SOCKET_DIRECTORY = 80  # a socket's path may have 107 bytes, its file name included


@dataclass(frozen=True)
class Account:
    """The operating-system account that the servers run as."""

    name: str
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        return self.uid == os.geteuid()


@lru_cache
def server_account() -> Account:
    """Ourselves, or an unprivileged account when we are root: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        entry = pwd.getpwuid(os.geteuid())
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for name in UNPRIVILEGED_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise RuntimeError(f"None of the accounts {', '.join(UNPRIVILEGED_ACCOUNTS)} exists to run the servers as.")


def can_pass(directory: Path, account: Account) -> bool:
    """Whether the account may go through the directory, by its permission bits."""
    try:
        status = directory.stat()
    except FileNotFoundError:
        return True
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def can_reach(path: Path, account: Account) -> bool:
    return account.is_ours or all(can_pass(directory, account) for directory in (path, *path.parents))


@dataclass(frozen=True)
class Layout:
    """The places of one pair of servers.

    They lie inside the state directory, except where the servers' account cannot reach it (a clone
    under /root) or its path is too long for a socket: then in a private directory of their own.
    """

    state: Path
    home: Path
    sockets: Path
    account: Account

    @classmethod
    def of(cls, state: Path) -> "Layout":
        account = server_account()
        mark = hashlib.sha256(f"{state}:{account.uid}".encode()).hexdigest()[:12]
        home = state / "servers" if can_reach(state, account) else ELSEWHERE / f"marketplace-{mark}"
        sockets = home / "sockets"
        if len(os.fsencode(sockets)) > LONGEST_SOCKET_DIRECTORY:
            sockets = SHORT / f"marketplace-{mark}"
        return cls(state=state, home=home, sockets=sockets, account=account)

    @property
    def data(self) -> Path:
        return self.home / "postgres"

    @property
    def broker(self) -> Path:
        return self.home / "valkey"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def private_directories(self) -> tuple[Path, ...]:
        return (self.home, self.sockets, self.broker, self.logs)

    def make(self) -> None:
        """Create the private directories. Raises PermissionError where somebody else holds one of the names."""
        for directory in self.private_directories:
            directory.mkdir(mode=0o700, exist_ok=True)
            self.claim(directory)
        (self.state / "servers.json").write_text(
            json.dumps({"home": str(self.home), "sockets": str(self.sockets), "account": self.account.name}, indent=1)
        )

    def claim(self, directory: Path) -> None:
        """Make the directory private to the servers' account.

        The names in /tmp and /var/tmp can be guessed: a link or a directory of somebody else there is refused.
        """
        status = directory.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (os.geteuid(), self.account.uid):
            raise PermissionError(f"{directory} belongs to somebody else.")
        if status.st_uid != self.account.uid:
            os.chown(directory, self.account.uid, self.account.gid, follow_symlinks=False)
        directory.chmod(0o700)


def package_directory(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"{package} is not installed.")
    return Path(next(iter(spec.submodule_search_locations)))
