"""The containers' health check: ends with 0 where their process answers at HEALTH_URL, and says why not."""

import os
import sys
from urllib.request import ProxyHandler, Request, build_opener

LIMIT_S = 5


def host() -> str:
    """One that web answers to: the address within the container need not be among them."""
    return os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip().lstrip(".").replace("*", "localhost")


def main() -> None:
    url = os.environ.get("HEALTH_URL", "http://127.0.0.1:8000/livez")
    try:
        # Past any proxy that the container has been told of.
        build_opener(ProxyHandler({})).open(Request(url, headers={"Host": host()}), timeout=LIMIT_S).close()
    except OSError as error:
        sys.exit(f"{url}: {error}")


if __name__ == "__main__":
    main()
