"""InQube's settings: one file, every choice from the environment (see `.env.example`).

Each variable `NAME` can also come from a file named by `NAME_FILE`, for secrets that an orchestrator mounts.
What is missing or unsafe is said by the system checks in `inqube/checks.py`, in one sentence with a remedy.
"""

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from redis.backoff import NoBackoff
from redis.retry import Retry

from inqube import __version__

BASE_DIR = Path(__file__).resolve().parent.parent


class Files(FileAwareMapping):
    """Without the line break that an editor or `echo` puts at the end of a file: it is no part of a secret."""

    def __getitem__(self, key: str) -> Any:
        return super().__getitem__(key).rstrip("\r\n")


class Environment(environ.FileAwareEnv):
    """Says in a sentence which variable cannot be read, in place of a traceback of the parser."""

    ENVIRON = Files()

    def get_value(self, var: str, cast: Any = None, **kwargs: Any) -> Any:
        try:
            return super().get_value(var, cast=cast, **kwargs)
        except ValueError:
            wanted = "a whole number" if cast is int else f"of type {getattr(cast, '__name__', cast)}"
            raise ImproperlyConfigured(f"{var} must be {wanted}.") from None


env = Environment()

VERSION = __version__

# --- What must be set ------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
# Libraries read these at import. One that is missing is random in each process, so that the system checks can
# say so and no key is known to strangers meanwhile.
UNSET = [name for name in ("SECRET_KEY", "JWT_SIGNING_KEY") if not env.str(name, default="")]
SECRET_KEY = env.str("SECRET_KEY", default="") or secrets.token_urlsafe(48)
JWT_SIGNING_KEY = env.str("JWT_SIGNING_KEY", default="") or secrets.token_urlsafe(48)
DATABASE_URL = env.str("DATABASE_URL", default="")
REDIS_URL = env.str("REDIS_URL", default="")
MQTT_URL = env.str("MQTT_URL", default="")
MQTT_ADMIN_URL = env.str("MQTT_ADMIN_URL", default="")  # unset, the broker's accounts are not InQube's to manage
MQTT_CA_FILE = env.str("MQTT_CA_FILE", default="")  # unset, the system's authorities are trusted
MQTT_CERT_FILE = env.str("MQTT_CERT_FILE", default="")
MQTT_KEY_FILE = env.str("MQTT_KEY_FILE", default="")
CHANNEL_PREFIX = env.str("CHANNEL_PREFIX", default="inqube")  # installations that share one Redis differ in it
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # unset, /metrics is for this machine alone
BACKUP_DIR = env.str("BACKUP_DIR", default="")  # unset, `manage.py backup` wants to be told where
POSTGRES_BIN = env.str("POSTGRES_BIN", default="")  # unset, pg_dump is found on the PATH and where Debian has it
# Ports of ingest and the worker for probes and metrics; 0 is none. Shard i has the one that is i - 1 above.
INGEST_HEALTH_PORT = env.int("INGEST_HEALTH_PORT", default=0)
WORKER_HEALTH_PORT = env.int("WORKER_HEALTH_PORT", default=0)
HEALTH_HOST = env.str("HEALTH_HOST", default="127.0.0.1")  # the address on which they listen there
HTTPS = env.bool("HTTPS", default=False)  # people reach the server by HTTPS only
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)  # how many, one behind the other, whose headers count

# --- Telemetry -------------------------------------------------------------------------------------------
RAW_RETENTION_DAYS = env.int("RAW_RETENTION_DAYS", default=90)
COMPRESS_AFTER_DAYS = env.int("COMPRESS_AFTER_DAYS", default=7)
MQTT_CLIENT_ID = env.str("MQTT_CLIENT_ID", default="inqube-ingest")
INGEST_BATCH_READINGS = env.int("INGEST_BATCH_READINGS", default=5000)
INGEST_BATCH_MS = env.int("INGEST_BATCH_MS", default=200)
DEAD_LETTER_RETENTION_DAYS = env.int("DEAD_LETTER_RETENTION_DAYS", default=30)
LEDGER_RETENTION_DAYS = env.int("LEDGER_RETENTION_DAYS", default=30)
QUARANTINE_SAMPLES = env.int("QUARANTINE_SAMPLES", default=100_000)
QUARANTINE_SAMPLES_PER_PLANT = env.int("QUARANTINE_SAMPLES_PER_PLANT", default=2_000_000)
QUARANTINE_ADDRESSES_PER_PLANT = env.int("QUARANTINE_ADDRESSES_PER_PLANT", default=10_000)
INGEST_MESSAGES_PER_SOURCE_SECOND = env.int("INGEST_MESSAGES_PER_SOURCE_SECOND", default=0)  # 0: as many as come
DEAD_LETTERS_PER_SOURCE_MINUTE = env.int("DEAD_LETTERS_PER_SOURCE_MINUTE", default=60)
DATABASE_DISK_BYTES = env.int("DATABASE_DISK_BYTES", default=0)  # unset, known only of a local one
HISTORY_TIMEOUT_S = env.int("HISTORY_TIMEOUT_S", default=10)
DEVICE_GRACE_MINUTES = env.int("DEVICE_GRACE_MINUTES", default=60)
DEVICE_KEY = env.str("DEVICE_KEY", default="")  # makes devices' secrets; unset, one made of SECRET_KEY does

# --- Alarms ----------------------------------------------------------------------------------------------
ALARM_OPERATORS = env.int("ALARM_OPERATORS", default=1)  # at once, in each plant
ALARM_TARGETS: dict[str, Any] = env.json("ALARM_TARGETS", default={})  # other ones than those of ISA-18.2

# --- Notifications ---------------------------------------------------------------------------------------
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")  # unset, messages have no links
NOTIFY_PRIVATE_NETWORKS = env.list("NOTIFY_PRIVATE_NETWORKS", default=[])
EMAIL_URL = env.str("EMAIL_URL", default="")  # unset, nobody is told by email
if EMAIL_URL:
    vars().update(env.email_url("EMAIL_URL"))
EMAIL_TIMEOUT = 10  # seconds for each of a mail server's answers
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="inqube@localhost")

# --- Jobs ------------------------------------------------------------------------------------------------
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PROCRASTINATE_WORKER_DEFAULTS: dict[str, Any] = {
    # What takes long must not keep the rollups from their minute. Most that run at once are messages to servers that
    # hang, or that wait for those (telemetry.jobs.MESSENGERS); of each other kind runs one.
    "concurrency": 100,
    "shutdown_graceful_timeout": 5.0,  # seconds; then what runs is cancelled, and tried again by the next worker
}
# A worker that was away makes up for a job of the last day, so that a computer that sleeps at night has them too.
PROCRASTINATE_PERIODIC_DEFAULTS = {"max_delay": 86_400}

# --- Django ----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",
    "inqube.admin_app.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "corsheaders",
    "axes",
    "pgtrigger",
    "pghistory",
    "inqube",  # before procrastinate, whose command it wraps
    "procrastinate.contrib.django",
    "accounts",
    "plants",
    "alarms",
    "telemetry",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "inqube.headers.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "inqube.request_metrics.RequestMetricsMiddleware",  # after static files, around all that takes time
    "inqube.compression.PageCompressionMiddleware",  # before all that still changes an answer
    "inqube.requests.RequestIdMiddleware",
    "corsheaders.middleware.CorsMiddleware",  # before all that answers a preflight or an error
    "inqube.bodies.BodyLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "inqube.requests.SlashMiddleware",  # before Django redirects
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.audit_context.AuditMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "axes.middleware.AxesMiddleware",
    "inqube.requests.NulMiddleware",  # last, so that its answer has all headers
]

ROOT_URLCONF = "inqube.urls"
ASGI_APPLICATION = "inqube.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "plants.navigation.plants_of_user",
                "telemetry.navigation.inbox_of_user",
                "telemetry.navigation.alarms_of_user",
            ]
        },
    }
]


def database(url: str) -> dict[str, Any]:
    """A PostgreSQL URL, in any form that libpq takes (sockets and TLS options too), as Django's settings."""
    try:
        parts: dict[str, Any] = dict(conninfo_to_dict(url))
    except ProgrammingError:  # whose text would show the password
        raise ImproperlyConfigured(
            "DATABASE_URL is not a PostgreSQL URL. It looks like postgres://user:password@host:5432/inqube."
        ) from None
    return {
        "ENGINE": "inqube.db",
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_MAX_AGE": 0,  # under ASGI connections live in the pool, not in threads
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 16, "timeout": 10}, **parts},
    }


DATABASES = {"default": database(DATABASE_URL)}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": [REDIS_URL],
        "KEY_PREFIX": CHANNEL_PREFIX,
        # A request rather goes uncounted than waits for a Valkey that does not answer.
        "OPTIONS": {"socket_timeout": 0.25, "socket_connect_timeout": 0.25, "retry": Retry(NoBackoff(), 0)},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": CHANNEL_PREFIX},
    }
}

# --- People and programs ---------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: who is locked out costs no password hash
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

ACCESS_TOKEN_MINUTES = env.int("ACCESS_TOKEN_MINUTES", default=30)
REFRESH_TOKEN_DAYS = env.int("REFRESH_TOKEN_DAYS", default=7)
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=ACCESS_TOKEN_MINUTES),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=REFRESH_TOKEN_DAYS),
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "ISSUER": "inqube",
    "AUDIENCE": "inqube",
    "AUTH_HEADER_TYPES": ("Bearer", "bearer"),
    "USER_ID_CLAIM": "sub",
    "TOKEN_TYPE_CLAIM": "typ",
    "UPDATE_LAST_LOGIN": False,
}

# --- Doors: against guessing, flooding and foreign pages -----------------------------------------------------
AXES_HANDLER = "accounts.lockout.Lockout"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # nobody can lock others out from somewhere else
AXES_FAILURE_LIMIT = 5  # a person with two passwords in mind and a stuck shift key; 480 guesses a day
AXES_COOLOFF_TIME = timedelta(minutes=15)  # a coffee; longer only means more calls to an admin
LOCKOUT_ADDRESS_TRIES = 50  # any emails, from one address: a plant's people behind one, not a list of the leaked
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the lock opens when the page said it would
AXES_USERNAME_CALLABLE = "accounts.lockout.attempted_email"
AXES_CLIENT_IP_CALLABLE = "accounts.lockout.counted_address"
AXES_LOCKOUT_CALLABLE = "accounts.lockout.lockout_response"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "password", "client_secret", "csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# How many requests a minute, of a person or program, or of an address where nobody is signed in.
THROTTLES = (
    {
        "login": 30,  # by address: a shift that comes in together; each costs 0.2 s of CPU for the password hash
        "refresh": 60,  # by address: programs behind one gateway, each refreshing every half an hour
        "password": 5,  # who found an open session must not guess the password there
        "reads": 1200,  # a wall of dashboards; more belongs on the live feed
        "writes": 300,  # a script that sets up a plant; readings come in lists
        "exports": 10,  # each may scan years
        "ingest": 600,  # by device or user: ten a second, each of up to 10,000 readings
        "wrong_device": 10,  # wrong secrets of a device by address: one with an old secret tries for ever
        "wrong_devices": 300,  # of all that come from an address; a plant's devices are behind one
    }
    if env.bool("THROTTLE", default=True)
    else {}
)

CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_CREDENTIALS = False  # pages elsewhere come with a token, never with the person's session
CORS_ALLOW_HEADERS = ["accept", "authorization", "content-type", "x-request-id"]
CORS_EXPOSE_HEADERS = ["Retry-After", "X-Request-ID"]

# Twice what the largest JSON body may have. Larger requests are refused unread.
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES = 2 << 20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000  # the largest form of the admin has about 300
DATA_UPLOAD_MAX_NUMBER_FILES = 1
CSRF_FAILURE_VIEW = "inqube.api.problems.csrf_failure"

REST_FRAMEWORK = {
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttles.ScopeThrottle"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": [
        "inqube.api.parsers.BoundedJSONParser",
        "inqube.api.parsers.BoundedFormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "inqube.api.browsable.BrowsableRenderer",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "inqube.api.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": [
        "inqube.api.filters.StrictFilterBackend",
        "rest_framework.filters.SearchFilter",
        "inqube.api.filters.StrictOrderingFilter",
    ],
    "EXCEPTION_HANDLER": "inqube.api.problems.problem_response",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "InQube",
    "DESCRIPTION": "Historian and live console of a factory: plants, sensors, readings. What devices send over MQTT "
    "and the live feed over WebSocket are described in [asyncapi.yaml](/api/v1/asyncapi.yaml).",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ZoneKind": "plants.models.Zone.Kind",
        "SensorKind": "plants.models.Sensor.Kind",
        "DeadLetterState": "telemetry.models.DeadLetter.State",
        "DiscoveredSensorState": "telemetry.models.DiscoveredSensor.State",
        "RuleKind": "alarms.models.Rule.Kind",
        "Severity": "alarms.models.Severity",
        "AlarmSource": "alarms.models.Source",
        "DecisionAction": "alarms.models.Decision.Action",
        "AlarmSubject": "alarms.models.Subject",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "inqube.api.schema.add_problems",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- Pages: only what this server itself serves ----------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(health|livez|readyz|metrics)$"]  # probes come straight to the process
SECURE_HSTS_SECONDS = 365 * 86400 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
# Being preloaded binds a whole domain for months: for its owner to wish, not for a program to assume.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
if HTTPS and TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # the proxy must set it, not pass it on

STATIC_URL = "static/"
# Where `collectstatic` has put the files, hashed and compressed; unset, each comes straight from its app.
STATIC_ROOT = env.str("STATIC_ROOT", default="") or None
STORAGES = {
    "staticfiles": {
        "BACKEND": "inqube.static_files.StaticFiles"
        if STATIC_ROOT
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not STATIC_ROOT

# --- Audit -----------------------------------------------------------------------------------------------
PGHISTORY_CREATED_AT_FUNCTION = "CLOCK_TIMESTAMP()"  # not NOW(): keeps the order of changes in one transaction

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# --- Logs: one structured line per event, on standard error ----------------------------------------------
LOG_FORMAT = env.str("LOG_FORMAT", default="console")  # or json
LOG_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
structlog.configure(
    processors=[
        *LOG_PROCESSORS,
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": LOG_PROCESSORS,
            "processor": structlog.processors.JSONRenderer()
            if LOG_FORMAT == "json"
            else structlog.dev.ConsoleRenderer(
                # Not the default one, which prints local variables: they may hold secrets.
                colors=False,
                exception_formatter=structlog.dev.plain_traceback,
            ),
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"level": "INFO", "propagate": True},
        "daphne": {"level": "WARNING"},
        "procrastinate": {"level": "WARNING"},
        "procrastinate.worker": {"level": "CRITICAL"},  # telemetry.jobs logs each job once
        "procrastinate.worker.worker": {"level": "WARNING"},
        "axes": {"level": "ERROR"},  # what it would say, security events say better
        "django.channels.server": {"level": "WARNING"},
    },
}
