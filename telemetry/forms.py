"""Forms of the console's pages."""

from django import forms

from telemetry.tester import MAX_TOPIC


class MessageForm(forms.Form):
    """A message as a device would publish it, its payload as text."""

    topic = forms.CharField(max_length=MAX_TOPIC, strip=False)
    payload = forms.CharField(required=False, strip=False, widget=forms.Textarea)
