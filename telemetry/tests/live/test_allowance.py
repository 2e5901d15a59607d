from telemetry.live.allowance import Allowance


def test_it_gives_a_burst_and_then_so_many_a_second() -> None:
    allowance = Allowance(2, 10, 0.0)
    assert [allowance.take(0.0) for _ in range(3)] == [True, True, False]
    assert [allowance.take(0.1) for _ in range(2)] == [True, False]


def test_it_saves_no_more_than_a_burst() -> None:
    allowance = Allowance(2, 10, 0.0)
    assert [allowance.take(3600.0) for _ in range(3)] == [True, True, False]
