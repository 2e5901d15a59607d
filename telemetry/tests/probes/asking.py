"""Asking a process on its port."""

import time
from typing import Any

import httpx

WITHIN_S = 60.0  # for a process to start beside others, or to notice what has changed


class Port:
    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=10, trust_env=False, headers=headers)

    def metrics(self) -> dict[str, float]:
        """The samples of /metrics, by name and labels as they are written."""
        lines = [line for line in self.get("/metrics").text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    def until(self, path: str, status: int, overall: str | None = None) -> dict[str, Any]:
        """What it says, once it answers with this HTTP status (and this word for all)."""
        deadline = time.monotonic() + WITHIN_S
        while True:
            try:
                response = self.get(path)
                answer: dict[str, Any] = response.json()
                if response.status_code == status and overall in (None, answer["status"]):
                    return answer
                last = response.text
            except httpx.HTTPError as error:
                last = repr(error)
            assert time.monotonic() < deadline, f"{path} did not answer {status}: {last}"
            time.sleep(0.05)
