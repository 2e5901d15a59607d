"""A rule as a form has it, not saved, for its backtest on a page."""

from typing import Any

from django import forms

from accounts.models import User
from alarms.models import Rule

PLACES = ("plant", "zone", "machine", "sensor", "reference")
TRIED = ("setpoint", "deadband", "on_delay_s", "off_delay_s")  # what the page lets people change


class BacktestForm(forms.ModelForm):
    """The fields of the admin's form under their names there; places that do not exist for the user are no choice."""

    class Meta:
        model = Rule
        fields = (*PLACES, "sensor_type", "kind", *TRIED, "severity", "message", "schedule")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in PLACES:
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            assert field.queryset is not None
            field.queryset = field.queryset.model._default_manager.visible_to(user)
        self.fields["plant"].required = False
        self.fields["severity"].required = False  # nothing depends on these two
        self.fields["message"].required = False

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.errors and data.get("sensor") is None and data.get("plant") is None:
            raise forms.ValidationError("Say which sensor the rule is about, or which plant.")
        return data

    @property
    def wrong(self) -> list[str]:
        """What is wrong with it, each as a sentence with the field's name."""
        said = [(name, " ".join(map(str, found))) for name, found in self.errors.items()]
        return [words if name == "__all__" else f"{self.fields[name].label}: {words}" for name, words in said]

    def kept(self) -> list[tuple[str, str]]:
        """(name, value) of what the page does not show but sends again, as it came."""
        found = [(name, self[name].value()) for name in self.fields if name not in TRIED]
        return [(name, str(value)) for name, value in found if value not in (None, "")]

    def tried(self) -> list[forms.BoundField]:
        return [self[name] for name in TRIED]
