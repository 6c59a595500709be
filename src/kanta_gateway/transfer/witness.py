"""Posts a checkpoint to a witness; what a witness answers is read by who asked.

* A witness is somebody else's machine: no redirects, no proxy of the environment, a short answer in a short time.
* Its address comes from a file of the operator, its name from somebody else's name server: what points inside the
  gateway's own network is not called, unless the operator names that network (`outward`).
"""

from __future__ import annotations

import httpx

from kanta_gateway.outward import Outward

MAX_ANSWER_BYTES = 4096
TIMEOUT_SECONDS = 5.0
NOT_CALLED = (0, "")
"""Instead of status and text: the address is inside."""


def post(outward: Outward, url: str, body: bytes) -> tuple[int, str] | None:
    """Status and text of the answer; None if there was none that can be read.

    Args:
        outward: which addresses may be called.
        url: of the witness.
        body: the checkpoint with its proof.
    """
    try:
        way = outward.way(url)
        if way is None:
            return NOT_CALLED
        with (
            httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False) as client,
            client.stream("POST", way.url, content=body, headers=way.headers, extensions=way.extensions) as response,
        ):
            content = b""
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    return None
            return response.status_code, content.decode("utf-8")
    except (OSError, httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, UnicodeDecodeError):
        return None
