"""How the `width` of a network changes the size of its layers."""


def scaled(filters: int, width: float, multiple: int = 1) -> int:
    """`filters` times `width`, rounded to a whole multiple of `multiple`, at least one of it."""
    return max(1, round(filters * width / multiple)) * multiple
