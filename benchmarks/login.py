"""How long a wrong password takes, whoever it is for: a user, nobody, an inactive user, one without a password.

    python -m benchmarks.login [--rounds 100]

All are tried in turn, in random order, in this process, against the embedded PostgreSQL, each from another address so
that no lock is met. Printed are the medians, and their ratio to that of nobody with a 95 % interval by bootstrap: an
interval that holds 1 means that within the noise of this machine the time tells nothing.
"""

import argparse
import logging
import os
import random
import statistics
import time
from ipaddress import IPv4Address

import numpy as np

from benchmarks.servers import servers

URL = "/api/v1/login/access-token"
FIRST_ADDRESS = IPv4Address("10.0.0.1")
NOBODY = "nobody"
RESAMPLES = 2000


def main() -> None:
    options = arguments()
    with servers("embedded") as environment:
        os.environ.update(environment, ALLOWED_HOSTS="testserver", THROTTLE="false", LOG_FORMAT="console")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inqube.settings")
        import django

        django.setup()
        times = measure(make_people(), options.rounds)
    print(f"{options.rounds} wrong passwords each, over {URL}")
    print(f"{'':<12}{'median':>10}{'ratio to nobody':>18}{'95 % interval':>18}")
    for who, taken in times.items():
        low, high = interval(taken, times[NOBODY])
        ratio = statistics.median(taken) / statistics.median(times[NOBODY])
        print(f"{who:<12}{1000 * statistics.median(taken):>7.1f} ms{ratio:>18.3f}{low:>10.3f} … {high:.3f}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Times wrong passwords for the known and the unknown.")
    parser.add_argument("--rounds", type=int, default=100, help="tries of each kind (100)")
    return parser.parse_args()


def make_people() -> dict[str, str]:
    """Emails by what they are."""
    from accounts.models import User

    User.objects.create_user("known@example.org", "correct horse battery")
    User.objects.create_user("inactive@example.org", "correct horse battery", is_active=False)
    User.objects.create_user("passwordless@example.org")
    return {who: f"{who}@example.org" for who in ("known", NOBODY, "inactive", "passwordless")}


def measure(people: dict[str, str], rounds: int) -> dict[str, list[float]]:
    from django.test import Client

    logging.getLogger("django.request").setLevel(logging.ERROR)  # each of them is a refusal
    client = Client()
    times: dict[str, list[float]] = {who: [] for who in people}
    tries = 0
    for turn in range(rounds + 1):
        for who in random.sample(list(people), len(people)):
            form = {"username": people[who], "password": "wrong"}
            tries += 1
            started = time.perf_counter()
            response = client.post(URL, form, REMOTE_ADDR=str(FIRST_ADDRESS + tries))
            taken = time.perf_counter() - started
            assert response.status_code == 400, response.content
            if turn:  # the first warms up
                times[who].append(taken)
    return times


def interval(taken: list[float], base: list[float]) -> tuple[float, float]:
    """Of the ratio of medians: both samples drawn again, with replacement, many times."""
    generator = np.random.default_rng()
    draws = [np.median(generator.choice(sample, (RESAMPLES, len(sample))), axis=1) for sample in (taken, base)]
    low, high = np.percentile(draws[0] / draws[1], [2.5, 97.5])
    return float(low), float(high)


if __name__ == "__main__":
    main()
