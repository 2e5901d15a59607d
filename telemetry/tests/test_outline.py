from telemetry.outline import HEIGHT, WIDTH, outline


def test_it_spans_the_box() -> None:
    found = outline([(0, 1, 2, 3), (10, 1, 1, 1)], 0, 10, 1)
    assert found is not None
    assert (found.low, found.high) == (1, 3)
    assert found.line == f"M0.0 {HEIGHT / 2:.1f}L{WIDTH:.1f} {HEIGHT:.1f}"
    assert found.band == f"M0.0 0.0L{WIDTH:.1f} {HEIGHT:.1f}L{WIDTH:.1f} {HEIGHT:.1f}L0.0 {HEIGHT:.1f}Z"


def test_it_breaks_the_line_where_points_are_missing() -> None:
    points = [(float(time), 0.0, 0.0, 0.0) for time in (0, 1, 2, 6, 7)]
    for interval, stretches in ((0.0, 2), (1.0, 2), (2.0, 1)):
        found = outline(points, 0, 10, interval)
        assert found is not None
        assert found.line.count("M") == found.band.count("M") == stretches


def test_it_draws_a_single_point_as_a_dot_in_the_middle() -> None:
    found = outline([(5, 4, 4, 4)], 0, 10, 1)
    assert found is not None
    assert found.line == f"M500.0 {HEIGHT / 2:.1f}h0"


def test_it_draws_nothing_without_points() -> None:
    assert outline([], 0, 10, 1) is None
