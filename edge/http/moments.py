"""Times as answers show them: RFC 3339, in UTC."""

from datetime import UTC, datetime


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
