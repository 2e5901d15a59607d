"""The form in which somebody writes down a decision about an alarm or a machine."""

from dataclasses import dataclass
from typing import Any, cast

from django import forms

from alarms.models import Alarm, Decision
from alarms.models.decisions import LONGEST_REASON, MOST_SENSORS
from plants.models import Machine, Sensor


@dataclass(frozen=True, slots=True)
class About:
    """What the list is narrowed to, and a new decision is about; its URL names it."""

    alarm: Alarm | None = None
    machine: Machine | None = None

    @property
    def is_chosen(self) -> bool:
        return self.alarm is not None or self.machine is not None

    @property
    def query(self) -> dict[str, str]:
        if self.alarm is not None:
            return {"alarm": str(self.alarm.pk)}
        return {"machine": str(self.machine.pk)} if self.machine is not None else {}

    @property
    def sensors(self) -> list[Sensor]:
        """Those whose values may be compared."""
        machine = self.machine or (self.alarm and self.alarm.machine)
        return list(Sensor.objects.filter(machine=machine, is_active=True)) if machine else []


class DecisionForm(forms.Form):
    action = forms.ChoiceField(choices=Decision.Action, label="Decision")
    reason = forms.CharField(
        max_length=LONGEST_REASON, widget=forms.Textarea({"rows": 3}), help_text="Whoever reads it later was not there."
    )
    sensors = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Compare before and after",
        help_text="How these sensors were in the hours before the decision, and are in those after it.",
    )

    def __init__(self, about: About, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sensors = cast(forms.MultipleChoiceField, self.fields["sensors"])
        sensors.choices = [(str(each.pk), each.name) for each in about.sensors[:MOST_SENSORS]]
        if about.alarm is not None and about.alarm.sensor_id:
            sensors.initial = [str(about.alarm.sensor_id)]
