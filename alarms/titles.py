"""What an alarm is called. Pure."""

KINDS = {
    "high_high": "high-high",
    "high": "high",
    "low": "low",
    "low_low": "low-low",
    "rate": "changes too fast",
    "deviation": "deviates",
    "stuck": "is stuck",
    "no_data": "sends no data",
}
LONGEST = 400


def title(
    machine: str,
    sensor: str,
    kind: str,
    message: str,
    setpoint: float | None,
    states: dict[str, str],
    reference: str | None,
) -> str:
    """`Roller 2: bearing temperature high-high`; a rule's own message stands for all after the machine."""
    return f"{machine}: {message or _what(_in_sentence(sensor), kind, setpoint, states, reference)}"[:LONGEST]


def _what(sensor: str, kind: str, setpoint: float | None, states: dict[str, str], reference: str | None) -> str:
    if kind == "state":
        label = states.get(f"{setpoint:g}") if setpoint is not None else None
        return f"{sensor} is {label or setpoint}"
    if kind == "deviation" and reference:
        return f"{sensor} deviates from {_in_sentence(reference)}"
    return f"{sensor} {KINDS[kind]}"


def _in_sentence(name: str) -> str:
    """With a small letter, unless it is an abbreviation such as CO2 or pH."""
    return name[:1].lower() + name[1:] if len(name) > 1 and name[1:2].islower() else name
