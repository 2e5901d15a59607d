"""Values, ages and times as people read them; `inqube/static/inqube/format.js` says the same in the browser."""

from datetime import datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal

THIN = "\u202f"  # thin no-break space: thousands, and between a number and its unit
NO_BREAK = "\u00a0"
MINUS = "\u2212"

MOST_DECIMALS = 10
EXPONENT_FROM = 1e15  # beyond this a float's digits are noise, and a row of them fits nowhere


def format_number(value: float, decimals: int) -> str:
    """`1 284`, `−38`, `0.12`: as many decimals as the sensor has, true minus, thin spaces in thousands."""
    if abs(value) >= EXPONENT_FROM:
        return f"{value:.3e}".replace("-", MINUS)
    # Rounded half away from zero on the float's exact digits, which is what JavaScript's toFixed does.
    step = Decimal(1).scaleb(-min(decimals, MOST_DECIMALS))
    digits = str(abs(Decimal(value).quantize(step, ROUND_HALF_UP)))
    whole, point, fraction = digits.partition(".")
    text = f"{int(whole):,}".replace(",", THIN) + point + fraction
    return f"{MINUS}{text}" if value < 0 and text.strip(f"0.{THIN}") else text


def format_age(age_s: float) -> str:
    """`2 s`, `48 s`, `14 min`, `1 h 14 min`, `3 d`; what lies in the future is `0 s` old."""
    seconds = max(0, int(age_s))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 1:
        return f"{seconds}{THIN}s"
    if hours < 1:
        return f"{minutes}{THIN}min"
    if days < 1:
        return f"{hours}{THIN}h{NO_BREAK}{minutes % 60:02}{THIN}min"
    return f"{days}{THIN}d"


def format_clock(time: datetime, tz: tzinfo, now: datetime) -> str:
    """`14:31`, or `23 Nov` where that is not today, in the plant's zone: a reading's time in a narrow column."""
    local, today = time.astimezone(tz), now.astimezone(tz).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local.day} {local:%b}"


def format_day_clock(time: datetime, tz: tzinfo, now: datetime) -> str:
    """`14:31:22`, or `23 Nov 14:31:22` where that is not today."""
    local = time.astimezone(tz)
    is_today = local.date() == now.astimezone(tz).date()
    return f"{local:%H:%M:%S}" if is_today else f"{local.day} {local:%b %H:%M:%S}"


def format_time(time: datetime, tz: tzinfo) -> str:
    """`24 Nov 14:31:22 +05:30`: a reading's time in full."""
    local = time.astimezone(tz)
    return f"{local.day} {local:%b %H:%M:%S} {format_offset(time, tz)}"


def format_offset(time: datetime, tz: tzinfo) -> str:
    """`+05:30`, `−03:00`, `UTC`: the zone's offset at that time."""
    offset = f"{time.astimezone(tz):%z}"
    if offset == "+0000":
        return "UTC"
    return f"{offset[:3]}:{offset[3:5]}".replace("-", MINUS)
