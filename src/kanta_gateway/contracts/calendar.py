"""Days, weeks and months as contract rules count them.

* Days travel as ISO 8601 text, whose order is the order of time; they are parsed where arithmetic is needed.
* A month after 30 November is 30 December; a month after 31 January is the last day of February.
"""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

HELSINKI = ZoneInfo("Europe/Helsinki")
SATURDAY = 5


@lru_cache(maxsize=4096)
def day(text: str) -> date:
    """The date that the text says."""
    return date.fromisoformat(text[:10])


@lru_cache(maxsize=4096)
def week(text: str) -> str:
    """Monday of the week in which a day lies."""
    moment = day(text)
    return (moment - timedelta(days=moment.weekday())).isoformat()


def is_workday(text: str, holidays: Collection[date]) -> bool:
    """Whether a day is Monday to Friday and no public holiday."""
    moment = day(text)
    return moment.weekday() < SATURDAY and moment not in holidays


def union_days(spans: Iterable[tuple[str, str]]) -> int:
    """Calendar days that lie in any of the spans, whose first and last days are included."""
    total, reached = 0, ""
    for start, end in sorted(spans):
        first = start if start > reached else later(reached, 1)
        if end >= first:
            total, reached = total + between(first, end) + 1, end
    return total


def local_minute(moment: str) -> str:
    """A moment as Helsinki's clocks show it, to the minute; a day alone is its beginning, nothing stays nothing.

    Args:
        moment: ISO 8601; without an offset it is told as the clocks show it.
    """
    if not moment:
        return ""
    told = datetime.fromisoformat(moment)
    return (told if told.tzinfo is None else told.astimezone(HELSINKI)).isoformat()[:16]


def workdays_later(text: str, days: int, holidays: Collection[date]) -> str:
    """The day so many workdays after."""
    while days > 0:
        text = later(text, 1)
        days -= is_workday(text, holidays)
    return text


def later(text: str, days: int) -> str:
    """The day so many days after."""
    return (day(text) + timedelta(days=days)).isoformat()


def between(start: str, end: str) -> int:
    """Days from one day to another."""
    return (day(end) - day(start)).days


def add_months(text: str, months: int) -> str:
    """The day so many calendar months after."""
    start = day(text)
    year, index = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = calendar.monthrange(year, index + 1)[1]
    return date(year, index + 1, min(start.day, last)).isoformat()


def month_end(text: str) -> str:
    """The last day of the month in which a day lies."""
    moment = day(text)
    return moment.replace(day=calendar.monthrange(moment.year, moment.month)[1]).isoformat()


def age(birth: str, on: str) -> int:
    """Full years of age on a day."""
    born, moment = day(birth), day(on)
    return moment.year - born.year - ((moment.month, moment.day) < (born.month, born.day))
