"""The line with the least squared distance to points, in plain Python."""

Point = tuple[float, float]


def fitted(points: list[Point]) -> tuple[float, float]:
    """Its slope and its intercept."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
    return slope, mean_y - slope * mean_x


def error_of(points: list[Point], slope: float, intercept: float) -> float:
    """How far the points are from the line, on average."""
    return sum(abs(y - intercept - slope * x) for x, y in points) / len(points)
