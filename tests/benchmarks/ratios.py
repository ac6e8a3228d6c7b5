"""Paired measurements: each alternation measures both sides, one after the other, and gives one ratio."""

import statistics


def line(what: str, ours: list[float], theirs: list[float], bar: float | None = None) -> str:
    """A row of the table: the median of the ratios ours/theirs with their spread, and both medians in seconds."""
    ratios = sorted(mine / other for mine, other in zip(ours, theirs, strict=True))
    median = statistics.median(ratios)
    verdict = "" if bar is None else f"  bar {bar:.2f} {'met' if median <= bar else 'NOT met'}"
    return (
        f"{what:32} ratio {median:.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f}, n={len(ratios)}){verdict}"
        f"  | ours {statistics.median(ours):.3f} s, theirs {statistics.median(theirs):.3f} s"
    )
