import pytest

from telemetry.look_tokens import MARK, PAIRS, TEXT, contrast, pairs, tokens


@pytest.mark.parametrize(
    ("one", "other", "expected"), [("000000", "FFFFFF", 21), ("777777", "777777", 1), ("767676", "FFFFFF", 4.54)]
)
def test_it_computes_contrast_as_wcag_does(one: str, other: str, expected: float) -> None:
    assert contrast(one, other) == pytest.approx(expected, abs=0.005)
    assert contrast(other, one) == contrast(one, other)


def test_it_keeps_what_stands_on_what_apart_in_light_and_dark() -> None:
    """To a tenth, as such numbers are told."""
    weak = [
        f"{pair.fore} on {pair.ground}: {pair.light:.2f} light, {pair.dark:.2f} dark, {pair.least} needed"
        for pair in pairs()
        if round(min(pair.light, pair.dark), 1) < pair.least
    ]
    assert weak == []


def test_it_asks_for_text_and_marks_of_every_severity() -> None:
    asked = {(fore, ground): least for fore, ground, least in PAIRS}
    for name in ("crit", "high", "med", "low", "bad"):
        assert asked[f"{name}-letter", name] == asked[f"{name}-ink", "surface"] == TEXT
    assert asked["med-edge", "surface"] == asked["line-2", "bg"] == MARK


def test_it_reads_all_colours_of_the_style_sheet() -> None:
    assert tokens()["ink"] == ("15191C", "E9ECEE")
    assert len(tokens()) >= 40
