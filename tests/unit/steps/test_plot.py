"""The picture of what evaluate counted."""

from xml.etree import ElementTree

import pytest

from canary.steps.evaluate import Evaluated
from canary.steps.plot import LEFT, WIDE, interval, plot_of

SVG = "{http://www.w3.org/2000/svg}"
FOUND = [
    Evaluated("shuffle", 1.0, 20, 20, 0),
    Evaluated("flip <values> & more", 0.5, 20, 5, 0),
    Evaluated("erase", 3.0, 20, 0, 2),
]


def test_bars_are_as_long_as_the_rates_and_names_are_escaped():
    root = ElementTree.fromstring(plot_of(FOUND, "N = 100 & ε < 1e-6"))
    bars = [float(one.get("width")) for one in root.iter(f"{SVG}rect") if one.get("x") == str(LEFT)]
    assert bars == pytest.approx([WIDE, WIDE / 4, 0])
    told = [one.text for one in root.iter(f"{SVG}text")]
    assert "flip <values> & more 0.5" in told
    assert "5 of 20" in told
    assert [one for one in told if "innocent" in one] == ["2 innocent"]
    assert root.find(f"{SVG}title").text == "N = 100 & ε < 1e-6"


def test_intervals_hold_the_rate_and_stay_within_bounds():
    assert interval(0, 10)[0] == 0
    assert interval(10, 10)[1] == pytest.approx(1)
    low, high = interval(5, 20)
    assert (low, high) == (pytest.approx(0.112, abs=0.002), pytest.approx(0.469, abs=0.002))
