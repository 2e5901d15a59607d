"""Forms of the console's pages."""

from django import forms

from plants.models import Sensor
from telemetry.tester import MAX_TOPIC


class MessageForm(forms.Form):
    """A message as a device would publish it, its payload as text."""

    topic = forms.CharField(max_length=MAX_TOPIC, strip=False)
    payload = forms.CharField(required=False, strip=False, widget=forms.Textarea)


class AdoptForm(forms.ModelForm):
    """What is to become of a discovered sensor, beginning with what it is guessed to be."""

    class Meta:
        model = Sensor
        fields = ("name", "type", "unit", "kind", "decimals", "states", "expected_interval_s")
        labels = {"type": "Measures", "expected_interval_s": "Seconds between readings"}
        help_texts = {"type": "Such as temperature.", "expected_interval_s": "Empty: it reports on change."}
        widgets = {"states": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})}
