"""The ASGI application: pages and REST by Django, WebSockets by Channels."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inqube.settings")
django_application = get_asgi_application()  # before any import of models

from accounts.channels import with_session  # noqa: E402
from inqube.bodies import with_body_limit  # noqa: E402
from inqube.checks import refuse_broken_settings  # noqa: E402
from inqube.closing import CloseCodes  # noqa: E402
from inqube.flow import with_flow_control  # noqa: E402
from telemetry.live.routing import websocket_urlpatterns  # noqa: E402

refuse_broken_settings()  # no command has run the system checks

application = ProtocolTypeRouter(
    {
        "http": with_flow_control(with_body_limit(django_application)),
        "websocket": CloseCodes(with_session(URLRouter(websocket_urlpatterns))),
    }
)
