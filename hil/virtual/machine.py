"""One QEMU machine: its command line, its monitor, its end."""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ICOUNT_SHIFT = 4
"""``-icount shift``: an instruction takes 2**4 = 16 ns of virtual time."""

QEMU = "qemu-system-arm"

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def command_line(
    machine: str,
    image: Path,
    unit: str,
    line: str,
    monitor: int,
    core: str,
    lockup: str = "",
) -> list[str]:
    """The emulator's arguments.

    Time is counted in instructions and sleeps with the host (``sleep=on``), so that an idle board
    costs little and its clock keeps wall time. The semihosting arguments name the serial number,
    the terminal, the file that exists while a host holds the port open and what executes the
    firmware (`core_name`); after a lock-up also what the core held then (`lockup_registers`).
    """
    arguments = [unit, line, "dtr", core, *([lockup] if lockup else [])]
    semihosting = ",".join(["enable=on", "target=native", *(f"arg={each}" for each in arguments)])
    return [
        QEMU,
        *("-M", machine),
        *("-display", "none"),
        *("-serial", "null"),
        *("-icount", f"shift={ICOUNT_SHIFT},sleep=on"),
        *("-semihosting-config", semihosting),
        *("-chardev", f"socket,id=monitor,fd={monitor}"),
        *("-mon", "chardev=monitor,mode=control"),
        *("-kernel", str(image)),
    ]


def core_name(machine: str) -> str:
    """What executes a firmware and decides its instruction counts: emulator and version, machine,
    icount shift; such as ``qemu-7.2.22/mps2-an386/icount-4``. No space and no comma in it.

    Asked anew for every start: a launcher may outlive the emulator that it started first.
    """
    done = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"version ([\w.+-]+)", done.stdout)
    return f"qemu-{version[1] if version else 'unknown'}/{machine}/icount-{ICOUNT_SHIFT}"


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Machine:
    """A running emulator. Its monitor speaks QMP over a socket pair; no path, no port."""

    def __init__(self, arguments_for: Any, folder: Path) -> None:
        ours, theirs = socket.socketpair()
        self.monitor = ours
        self._errors = open(folder / "qemu.log", "w+b")  # noqa: SIM115 - closed in stop()
        try:
            self.process = subprocess.Popen(
                arguments_for(theirs.fileno()),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
                pass_fds=(theirs.fileno(),),
                preexec_fn=_die_with_parent,
            )
        finally:
            theirs.close()
        self.ended = os.pidfd_open(self.process.pid)
        self._received = b""
        self._greeted = False
        self.send("qmp_capabilities")
        ours.setblocking(False)

    def send(self, command: str, **arguments: Any) -> None:
        message: dict[str, Any] = {"execute": command}
        if arguments:
            message["arguments"] = arguments
        self.monitor.sendall(json.dumps(message).encode() + b"\n")

    def events(self) -> Sequence[str]:
        """Names of the QMP events that came since the last call, such as ``RESET``."""
        try:
            self._received += self.monitor.recv(65536)
        except BlockingIOError:
            return ()
        except OSError:
            return ()
        *lines, self._received = self._received.split(b"\n")
        messages = [json.loads(line) for line in lines if line.strip()]
        return [message["event"] for message in messages if "event" in message]

    def stop(self) -> str:
        """Ends the machine at once and says what it printed; a guest in a semihosting call
        ignores SIGTERM and has nothing to save."""
        self.process.kill()
        self.process.wait()
        return self._close()

    def _close(self) -> str:
        self.monitor.close()
        os.close(self.ended)
        self._errors.seek(0)
        text = self._errors.read()[-4096:].decode(errors="replace")
        self._errors.close()
        return text.strip()

    def collect(self) -> tuple[int, str]:
        """Exit status and last words of a machine that ended by itself."""
        status = self.process.wait()
        return status, self._close()


def lockup_registers(text: str) -> str | None:
    """PC, LR, xPSR and SP (8 hex digits each) if the emulator's last words are of a lock-up."""
    if not re.search(r"Lockup: can't escalate", text):
        return None
    found = {name: value for name, value in re.findall(r"\b(R1[345]|XPSR)=([0-9a-f]{8})\b", text)}
    return "".join(found.get(name, "0" * 8) for name in ("R15", "R14", "XPSR", "R13"))
