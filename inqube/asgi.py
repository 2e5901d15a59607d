"""The ASGI application: pages and REST by Django, WebSockets by Channels."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inqube.settings")
application = get_asgi_application()
