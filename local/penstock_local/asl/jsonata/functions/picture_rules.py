"""What a picture of $formatNumber must not be, XPath Functions and Operators 3.1, 4.7.3."""

from __future__ import annotations

from penstock_local.asl.jsonata.functions.pictures import Properties, SubPicture


def broken_rule(picture: SubPicture, properties: Properties) -> str | None:
    """The code of the rule that the sub-picture breaks; of several, the last, as the reference."""
    broken = [
        *_counts(picture, properties),
        *_mantissa(picture, properties),
        *_separators(picture, properties),
        *_optional_digits(picture, properties),
        *_exponent(picture, properties),
    ]
    return broken[-1] if broken else None


def _counts(picture: SubPicture, properties: Properties) -> list[str]:
    text = picture.text
    signs = properties.percent in text, properties.per_mille in text
    return _codes(
        D3081=text.count(properties.decimal_separator) > 1,
        D3082=text.count(properties.percent) > 1,
        D3083=text.count(properties.per_mille) > 1,
        D3084=all(signs),
    )


def _mantissa(picture: SubPicture, properties: Properties) -> list[str]:
    return _codes(
        D3085=properties.count_places(picture.mantissa) == 0,
        D3086=any(not properties.is_active(char) for char in picture.active),
    )


def _separators(picture: SubPicture, properties: Properties) -> list[str]:
    group, point = properties.grouping_separator, properties.decimal_separator
    has_point = point in picture.text
    return _codes(
        D3087=has_point and (group + point in picture.text or point + group in picture.text),
        D3088=not has_point and picture.integer.endswith(group),
        D3089=group * 2 in picture.text,
    )


def _optional_digits(picture: SubPicture, properties: Properties) -> list[str]:
    before, _, _ = picture.integer.partition(properties.digit)
    _, found, after = picture.fraction.rpartition(properties.digit)
    return _codes(
        D3090=properties.digit in picture.integer and properties.count_digits(before) > 0,
        D3091=bool(found) and properties.count_digits(after) > 0,
    )


def _exponent(picture: SubPicture, properties: Properties) -> list[str]:
    exponent = picture.exponent
    if exponent is None:
        return []
    scaled = properties.percent in picture.text or properties.per_mille in picture.text
    plain = bool(exponent) and all(properties.is_digit(char) for char in exponent)
    return _codes(D3092=bool(exponent) and scaled, D3093=not plain)


def _codes(**rules: bool) -> list[str]:
    return [code for code, broken in rules.items() if broken]
