"""Numbers as a spreadsheet shows them; the expected ones are those of Excel in English."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.documents.office.number_format import BUILT_IN, format_number, is_date_format


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (0.1 + 0.2, "General", "0.3"),
        (1234567890123, "General", "1234567890123"),
        (-12.5, "General", "-12.5"),
        (1e20, "General", "1E+20"),
        (18, 'General" hives"', "18 hives"),
        (5, "0", "5"),
        (2.5, "0", "3"),
        (2.675, "0.00", "2.68"),
        (-2.675, "0.00", "-2.68"),
        (-0.001, "0.00", "0.00"),
        (1234567.891, "#,##0", "1,234,568"),
        (1234.5, "#,##0.00", "1,234.50"),
        (0, "#,##0", "0"),
        (0, "#", ""),
        (0.5, "#.##", ".5"),
        (5, "0.##", "5"),
        (5.25, "0.0#", "5.25"),
        (7, "000", "007"),
        (0.256, "0%", "26%"),
        (0.256, "0.0 %", "25.6 %"),
        (1234.5, '#,##0.00 "€"', "1,234.50 €"),
        (1234.5, "[$€-407] #,##0.00", "€ 1,234.50"),
        (1234.5, "[$EUR] #,##0", "EUR 1,235"),
        (-1234.5, '"$"#,##0.00_);[Red]("$"#,##0.00)', "($1,234.50)"),
        (0, '0;-0;"none"', "none"),
        (-3, "0;-0", "-3"),
        (12_345_678, '0.0,,"M"', "12.3M"),
        (9500, '0,"k"', "10k"),
        (4570123456, "(000) 000-0000", "(457) 012-3456"),
        (12345, "00000-0000", "00001-2345"),
        (123456789, "000-00-0000", "123-45-6789"),
        (0.000123, "0.00E+00", "1.23E-04"),
        (12345, "0.0E+0", "1.2E+4"),
        (1.25, "# ?/?", "1 1/4"),
        (0.3333333, "?/?", "1/3"),
        (2, "# ?/?", "2"),
        (1.3, "# ?/8", "1 2/8"),
        (150, '[<100]0" low";[>=100]0" high"', "150 high"),
        (50, '[<100]0" low";0" high"', "50 low"),
        (0.75, "h:mm", "18:00"),
        (1234.5, '_-* #,##0.00 €_-;-* #,##0.00 €_-;_-* "-"?? €_-;_-@_-', "1,234.50 €"),
        (42, "@", ""),
        (1e19, "0.0000000000", "10000000000000000000.0000000000"),
        (1e300, "0", "1" + "0" * 300),
    ],
)
def test_a_number_is_shown_by_its_format(value: float, code: str, expected: str) -> None:
    assert format_number(value, code) == expected


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (45363, "yyyy-mm-dd", "2024-03-12"),
        (45363, "dd/mm/yy", "12/03/24"),
        (45363, "d. mmmm yyyy", "12. March 2024"),
        (45363, "ddd, mmm d", "Tue, Mar 12"),
        (45363, "dddd", "Tuesday"),
        (45363, '[$-407]d" de "mmmm', "12 de March"),
        (45363.75, "yyyy-mm-dd hh:mm", "2024-03-12 18:00"),
        (45363.75, "h:mm AM/PM", "6:00 PM"),
        (0.0, "h:mm AM/PM", "12:00 AM"),
        (1.5, "[h]:mm:ss", "36:00:00"),
        (0.00075, "mm:ss.0", "01:04.8"),
        (0.5 - 1e-9, "h:mm:ss", "12:00:00"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (61, "yyyy-mm-dd", "1900-03-01"),
        (-1, "yyyy-mm-dd", "-1"),
        (1e9, "yyyy-mm-dd", "1000000000"),
    ],
)
def test_a_date_is_shown_by_its_format(value: float, code: str, expected: str) -> None:
    assert is_date_format(code)
    assert format_number(value, code) == expected


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        format_number(value, "0.00")


def test_dates_may_count_from_1904() -> None:
    assert format_number(45363 - 1462, "yyyy-mm-dd", date_1904=True) == "2024-03-12"


def test_a_code_of_no_date_is_none() -> None:
    for code in ("0.00", '0" days"', "[Red]0", "#,##0 [$USD]", "General"):
        assert not is_date_format(code)


@given(st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=30))
def test_no_format_breaks(value: float, code: str) -> None:
    assert isinstance(format_number(value, code), str)


@given(st.floats(min_value=-1e12, max_value=1e12), st.sampled_from(sorted(BUILT_IN)))
def test_formats_without_a_code_are_known(value: float, number: int) -> None:
    assert isinstance(format_number(value, BUILT_IN[number]), str)
