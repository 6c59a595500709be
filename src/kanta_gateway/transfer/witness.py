"""Posts a checkpoint to a witness; what a witness answers is read by who asked.

* A witness is somebody else's machine: no redirects, no proxy of the environment, a short answer in a short time.
"""

from __future__ import annotations

import httpx

MAX_ANSWER_BYTES = 4096
TIMEOUT_SECONDS = 5.0


def post(url: str, body: bytes) -> tuple[int, str] | None:
    """Status and text of the answer; None if there was none that can be read."""
    try:
        with (
            httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False) as client,
            client.stream("POST", url, content=body) as response,
        ):
            content = b""
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    return None
            return response.status_code, content.decode("utf-8")
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, UnicodeDecodeError):
        return None
