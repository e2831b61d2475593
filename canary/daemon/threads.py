"""An executor of APScheduler that gives every job its own daemon thread: none waits, none holds the exit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job


class ThreadEach(BaseExecutor):  # type: ignore[misc]
    """Runs each job in a thread that dies with the process."""

    def __init__(self) -> None:
        super().__init__()
        self._threads: set[threading.Thread] = set()
        self._claimed: set[str] = set()
        self._claiming = threading.Lock()

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        thread = threading.Thread(
            target=self._run, args=(job, run_times), name=f"canary-{job.id}", daemon=True
        )
        self._threads.add(thread)
        thread.start()

    def claim(self, name: str) -> bool:
        """Claim a name until its work has ended; False while it is claimed."""
        with self._claiming:
            free = name not in self._claimed
            self._claimed.add(name)
            return free

    def busy(self, name: str) -> bool:
        """Tell whether a name is claimed."""
        with self._claiming:
            return name in self._claimed

    def spawn(self, name: str, work: Callable[[], object]) -> None:
        """Run work, claimed under a name, in a thread that `join` waits for."""

        def run() -> None:
            try:
                work()
            finally:
                with self._claiming:
                    self._claimed.discard(name)
                self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name=f"canary-{name}", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _run(self, job: Any, run_times: list[datetime]) -> None:
        try:
            events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
            self._run_job_success(job.id, events)
        except Exception as error:
            self._run_job_error(job.id, error)
        finally:
            self._threads.discard(threading.current_thread())

    def join(self, seconds: float) -> bool:
        """Wait for the running jobs and for what they begin meanwhile; tells whether all of it ended in time."""
        end, me = time.monotonic() + seconds, threading.current_thread()
        while running := [one for one in list(self._threads) if one is not me and one.is_alive()]:
            left = end - time.monotonic()
            if left <= 0:
                return False
            running[0].join(left)
        return True
