"""A port, the session on it, and what happens when the board behind it restarts.

`Connection` translates every way in which a request can go wrong into an error of the harness
(`hil.outcome`), and is connected again afterwards if the board came back.
"""

from __future__ import annotations

import secrets
import time

from hil import messages as m
from hil.errors import BenchError, HilError
from hil.link import POLL_S, Clock, Opener, wait_for_port
from hil.outcome import Names, restart_error, silent_error, silent_work_error, start_error
from hil.session import DeviceReset, DeviceSilent, Log, Reply, Session

WORK_S = 5.0
"""Seconds that a kind of work is expected to take before it was seen once."""

DEAF_S = 2.0
"""Seconds that a device may take to acknowledge a RESET, and to come back if it did not."""

_TRY_S = 1.0


class Connection:
    """One board's port over any number of sessions.

    Args:
        port: for waiting and messages; ``opener`` opens it.
        boot_s: seconds from reset to the first answer, the port's return included.
        clock: monotonic seconds.
        hang_s: seconds after which work that does not answer is given up.
    """

    def __init__(
        self,
        port: str,
        opener: Opener,
        names: Names,
        *,
        baud: int,
        retries: int,
        boot_s: float,
        hang_s: float,
        clock: Clock = time.monotonic,
    ) -> None:
        self.info: m.Info
        self.names = names
        self._port, self._opener = port, opener
        self._baud, self._retries = baud, retries
        self._boot_s, self._hang_s = boot_s, hang_s
        self._work_s: dict[type[m.Message], float] = {}
        self._clock = clock
        self._log = Log()
        self._session: Session | None = None
        self._resent_before = 0

    @property
    def log(self) -> str:
        """What the device printed outside frames, the last 64 KB."""
        return str(self._log) + (self._session.pending_text if self._session else "")

    @property
    def resent(self) -> int:
        """Frames sent again, over all sessions."""
        return self._resent_before + (self._session.resent if self._session else 0)

    def open(self, *, arriving: bool = False) -> None:
        """Opens the port and shakes hands. A port that goes away meanwhile may come back.

        Args:
            arriving: the board has just been started, so that its port may not be there yet.

        Raises:
            BenchError: port_absent, board_busy, port_lost, no_answer, wire, protocol_version.
        """
        deadline = self._clock() + self._boot_s
        try:
            self._connect(deadline)
        except BenchError as error:
            if error.code != "port_lost" and not (arriving and error.code == "port_absent"):
                raise
            self._reconnect(max(0.0, deadline - self._clock()))

    def close(self) -> None:
        """Gives the port back; again is harmless."""
        if self._session:
            self._resent_before += self._session.resent
            self._log.add(self._session.pending_text)
            self._session.close()
            self._session = None

    def ask(self, request: m.Message, kind: type[Reply], *, reply_bytes: int = 64) -> Reply:
        """A request that is answered at once.

        Raises:
            BenchError: no_answer, wire, port_lost, protocol_version. ProductError: crash, hang
                (watchdog), when the device turns out to have restarted.
        """
        try:
            return self._guarded(request, kind, 0.0, reply_bytes)
        except DeviceSilent as error:
            raise silent_error(error, self.names) from error

    def work(self, request: m.Message, kind: type[Reply]) -> Reply:
        """A request that computes. Learns how long such requests take. As `ask`."""
        started = self._clock()
        try:
            expected = self._work_s.get(type(request), WORK_S)
            reply = self._guarded(request, kind, expected, 64)
        except DeviceSilent as error:
            raise silent_work_error(error, self.log, self.names) from error
        self._work_s[type(request)] = max(1.0, 3 * (self._clock() - started))
        return reply

    def post(self, request: m.Message) -> None:
        """Sends a request and waits for nothing. Raises: BenchError (port_lost)."""
        self._live().post(request)

    def greet(self) -> None:
        """Shakes hands once more; what is loaded stays.

        Raises:
            BenchError: no_answer, wire, port_lost. ProductError: crash, hang, when the device
                turns out to have restarted.
        """
        starts = self.info.boot_count
        try:
            self.info = self._live().hello(_nonce(), self._clock() + self._boot_s)
        except DeviceSilent as error:
            raise silent_error(error, self.names) from error
        except BenchError as error:
            if error.code != "port_lost":
                raise
            raise self._after_restart(error.message, "port_lost") from error
        if self.info.boot_count != starts:
            raise self._after_restart("the device restarted", "no_answer")

    def restart(self) -> None:
        """Restarts the device and shakes hands again; one that is deaf gets `DEAF_S` for it."""
        patience = self._boot_s
        try:
            self._live().ask(m.Reset(), m.Resetting, give_up_s=DEAF_S)
        except DeviceSilent:
            patience = min(patience, DEAF_S)
        except (DeviceReset, BenchError):
            pass
        self._reconnect(patience)

    def _live(self) -> Session:
        if self._session is None:
            raise self.names.bench("port_lost", f"{self._port} is not open")
        return self._session

    def _connect(self, deadline: float) -> None:
        self.close()
        self._session = Session(
            self._opener(),
            baud=self._baud,
            retries=self._retries,
            log=self._log,
            board=self.names.board,
            clock=self._clock,
        )
        try:
            self.info = self._session.hello(_nonce(), deadline)
        except DeviceSilent as error:
            raise silent_error(error, self.names) from error

    def _reconnect(self, patience: float) -> None:
        """Handshake with a board that restarts; its port may vanish and come back meanwhile."""
        self.close()
        deadline, lost = self._clock() + patience, 0
        while wait_for_port(self._port, True, deadline):
            try:
                return self._connect(min(deadline, self._clock() + _TRY_S))
            except BenchError as error:
                lost += error.code == "port_lost"
                if error.code == "protocol_version" or (self._clock() >= deadline and not lost):
                    raise
            if self._clock() >= deadline:
                break
            time.sleep(POLL_S)
        raise self._not_back(patience, lost)

    def _not_back(self, patience: float, lost: int) -> BenchError:
        if not lost:
            return self.names.bench("port_lost", f"{self._port} was not back in {patience:.3g} s")
        return self.names.bench(
            "port_lost",
            f"{self._port} went away {lost} times in {patience:.3g} s, before the board answered",
            "a firmware that crashes at each start does this, a bad cable too: watch `hil monitor`",
            lost=lost,
        )

    def crash_at_start(self) -> HilError:
        """Why a device in safe mode is in it; see `Info.safe_mode`."""
        record = self.ask(m.AskCrash(), m.Crash)
        kept = record if record.present else None
        return start_error(self.info.reset_cause, kept, self.log, self.names)

    def _guarded(
        self, request: m.Message, kind: type[Reply], expected_s: float, reply_bytes: int
    ) -> Reply:
        try:
            return self._live().ask(
                request,
                kind,
                expected_s=expected_s,
                reply_bytes=reply_bytes,
                give_up_s=self._hang_s,
            )
        except DeviceReset as error:
            raise self._after_restart("the device restarted", "no_answer") from error
        except BenchError as error:
            if error.code != "port_lost":
                raise
            raise self._after_restart(error.message, "port_lost") from error

    def _leave_safe_mode(self) -> None:
        """The next request is the firmware's again; if it crashes at once, it will be told so."""
        try:
            self.restart()
        except BenchError:
            self.close()

    def _after_restart(self, what: str, otherwise: str) -> HilError:
        """Why the device restarted, as an error; connected again if it came back."""
        try:
            self._reconnect(self._boot_s)
            record = self._live().ask(m.AskCrash(), m.Crash)
        except (BenchError, DeviceReset, DeviceSilent) as error:
            return self.names.bench(otherwise, f"{what}; then: {error}")
        cause = self.info.reset_cause
        kept = record if record.present else None
        if self.info.safe_mode:
            self._leave_safe_mode()
        return restart_error(what, cause, kept, self.log, otherwise, self.names)


def _nonce() -> int:
    return secrets.randbelow(2**32 - 1) + 1
