"""The lease of a job: one process at a time works on a job, on whichever computer that shares its folder.

`lease.json` names who holds it: computer, process and the time it started, so that a reused number is not mistaken for
it, a token, and when the holder was last alive. The holder renews it every RENEW seconds. On the computer of the holder
the lease ends with the process; on any other, where a process number says nothing, when it was not renewed for EXPIRE
seconds. Taking and renewing happen under a lock on `lease.lock`, which NFS keeps too.

A version before leases left process and start in `pid.json`; its job, which may still run, holds its folder by that.
"""

import fcntl
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from threading import Event, Thread

from legocryst.infra.files import process_start, read_json, write_json

FILE, LOCK, BEFORE_LEASES = "lease.json", "lease.lock", "pid.json"
TOKEN = "LEGOCRYST_LEASE"
"""Environment variable by which a process that is started for a job knows the lease that was taken for it."""
RENEW = 15.0
"""Seconds between two signs of life."""
EXPIRE = 120.0
"""Seconds without one after which another computer may take over: clocks may differ by a minute."""


class LeaseHeld(ValueError):
    """Another process works on the job; the message names it."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who works on a job, or did when it ended without giving the lease back."""

    host: str  # name of the computer
    system: str  # of processes: boot and process namespace, within which process numbers mean something
    pid: int
    start: int | None  # of the process, in clock ticks after boot
    token: str
    renewed: float  # s since 1970, by the holder's clock

    @property
    def alive(self) -> bool:
        """Whether it is still at work: its process lives, or, on another computer, it was heard of lately."""
        if self.system == _system():
            return self.start is not None and process_start(self.pid) == self.start
        return time.time() - self.renewed < EXPIRE

    @property
    def words(self) -> str:
        """Which process, and when it was last alive."""
        return f"process {self.pid} on {self.host}, last heard of {max(0, round(time.time() - self.renewed))} s ago"


def holder(folder: Path) -> Holder | None:
    """Return who holds the lease of a job's folder, alive or not; None where nobody does."""
    content = read_json(folder / FILE)
    if content:
        return Holder(**content)
    if earlier := read_json(folder / BEFORE_LEASES):
        before = Holder(socket.gethostname(), _system(), **earlier, token=BEFORE_LEASES, renewed=time.time())
        return before if before.alive else None
    return None


def claim(folder: Path, *, pid: int | None = None, token: str = "") -> Holder:
    """Take the lease of a folder for a process of this computer, by default this one.

    The `token` of the lease that was taken before hands it over, from the process that starts a job to the one that
    does it. Raises LeaseHeld while another holds it.
    """
    pid = os.getpid() if pid is None else pid
    with _locked(folder):
        before = holder(folder)
        handed = before is not None and before.token == token
        if before and before.alive and not handed:
            raise LeaseHeld(f"job {folder.name} is running already ({before.words}): wait for its end, or stop it")
        token = token if handed else secrets.token_hex(8)
        taken = Holder(socket.gethostname(), _system(), pid, process_start(pid), token, time.time())
        write_json(folder / FILE, asdict(taken))
        return taken


def release(folder: Path, taken: Holder) -> None:
    """Give a lease back; one that another took over meanwhile stays."""
    if not folder.exists():  # the job was deleted
        return
    with _locked(folder):
        if (now := holder(folder)) and now.token == taken.token:
            (folder / FILE).unlink()


class Lease:
    """A lease that this process holds and renews, for as long as a block lasts (see `held`)."""

    def __init__(self, folder: Path, taken: Holder) -> None:
        self._folder, self._taken, self._end = folder, taken, Event()
        self.lost = False
        """Whether another process took over, so that this one must not write any more."""

    def renew(self) -> None:
        """Say that this process is alive, unless the lease is another's by now or its folder is gone."""
        try:
            with _locked(self._folder):
                now = holder(self._folder)
                self.lost = now is None or now.token != self._taken.token
                if not self.lost:
                    write_json(self._folder / FILE, asdict(self._taken) | {"renewed": time.time()})
        except FileNotFoundError:
            self.lost = True

    def keep(self) -> None:
        """Keep renewing it until `end`, in a thread of its own."""
        while not self.lost and not self._end.wait(RENEW):
            self.renew()

    def end(self) -> None:
        """Let `keep` return."""
        self._end.set()


@contextmanager
def held(folder: Path) -> Iterator[Lease]:
    """Hold the lease of a job's folder while the block lasts. Raises LeaseHeld while another process holds it."""
    taken = claim(folder, token=os.environ.get(TOKEN, ""))
    lease = Lease(folder, taken)
    thread = Thread(target=lease.keep, name="lease", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        lease.end()
        thread.join()
        release(folder, taken)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@lru_cache(maxsize=1)
def _system() -> str:
    """Name this boot of the computer and the namespace of processes."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {os.readlink('/proc/self/ns/pid')}"
