"""How the `width` of a network changes the size of its layers."""


def scaled(filters: int, width: float) -> int:
    """`filters` times `width`, rounded to a whole number of filters, at least one."""
    return max(1, round(filters * width))
