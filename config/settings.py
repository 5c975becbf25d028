"""One settings module for every place; the environment decides (see README, "Run it for real")."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config import environment

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("VAR_DIR", BASE_DIR / "var"))
# The solver's machine code, compiled once per installation (tools/compile_solver.py).
os.environ.setdefault("NUMBA_CACHE_DIR", str(BASE_DIR / "var" / "numba"))

DEBUG = environment.flag("DJANGO_DEBUG", default=False)
# Demo mode shows the accounts on the login page; it refuses to start over real data.
DEMO_MODE = environment.flag("DEMO_MODE", default=False)
SECRET_KEY = os.environ.get("SECRET_KEY", "")
if not SECRET_KEY:
    if not (DEBUG or DEMO_MODE or os.environ.get("PYTEST_VERSION")):
        raise ImproperlyConfigured("Set SECRET_KEY to a long random string.")
    SECRET_KEY = "for-development-and-demonstration-only-" + "0" * 24  # noqa: S105
# True where a proxy in front speaks TLS; cookies are then sent over TLS only.
BEHIND_TLS = environment.flag("BEHIND_TLS", default=False)

ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", default="localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS", default="")

INSTALLED_APPS = [
    "common",
    "masterdata",
    "traceability",
    "erp",
    "mes",
    "aps",
    "crm",
    "portal",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "django_htmx",
    # The SimpleAppConfigs leave the loaders to TEMPLATES below, where their order is written out.
    "template_partials.apps.SimpleAppConfig",
    "django_cotton.apps.SimpleAppConfig",
    "django_tables2",
    "django_filters",
    "import_export",
    "crispy_forms",
    "crispy_bootstrap5",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "common.body_size.BodySizeMiddleware",
    "common.sessions.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "common.middleware.LimitedSessionMiddleware",
    "common.middleware.UserLocaleMiddleware",
    "masterdata.middleware.SiteZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "common.middleware.AccessMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            # Partials outermost, cotton inside the cache: with automatic set-up cotton's tags
            # stay uncompiled when both are installed.
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "django_cotton.cotton_loader.Loader",
                                "django.template.loaders.filesystem.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "common.context_processors.shell",
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "template_partials.templatetags.partials",
                "common.templatetags.ui",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
COTTON_DIR = "cotton"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
DJANGO_TABLES2_TEMPLATE = "common/table.html"

DATABASES = {
    "default": {
        **environment.database(
            os.environ.get("DATABASE_URL", "postgresql://millstream@localhost/millstream")
        ),
        "CONN_MAX_AGE": 0,
        # The pool's connections are checked when they are taken (config/postgres).
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {
            "connect_timeout": 5,
            "options": "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s -c jit=off",
            "pool": {"min_size": 1, "max_size": 12, "timeout": 10},
        },
        "TEST": {"NAME": os.environ.get("TEST_DATABASE_NAME", "test_millstream")},
    }
}
if os.environ.get("PYTEST_VERSION"):
    # Tests create and drop databases and kill connections; a pool would hold dead ones.
    DATABASES["default"]["OPTIONS"].pop("pool")  # type: ignore[attr-defined]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = os.environ.get("REDIS_URL", "redis://localhost:6379/0")
CELERY_BROKER_URL = environment.celery_broker(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_QUEUES: dict[str, dict[str, str]] = {
    name: {} for name in ("default", "solver", "planning", "documents", "integration")
}
# Else Celery closes the whole connection pool before and after every task.
CELERY_DB_REUSE_MAX = 1000
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_CONSUMER = "common.jobs.consumer:Consumer"
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A message that a killed worker held comes back after this; the dispatcher is quicker.
    "visibility_timeout": 300,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "retry_on_timeout": False,
    "max_retries": 0,
}
CELERY_TIMEZONE = "UTC"

# Login limits count in the database, shared by all web processes; Redis may be emptied at any
# moment, which the API's limits can bear.
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "common_cache",
    },
    "throttle": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "millstream",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    },
}
if os.environ.get("PYTEST_VERSION"):
    CACHES["throttle"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}

AUTH_USER_MODEL = "common.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "common:home"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "common.accounts.ClosedAccountAdapter"
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/300s/key"}
# Behind a proxy all come from its address, and one who guesses would lock everybody out: the
# address that the last of so many proxies saw counts then. Without one nobody may name their own.
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("TRUSTED_PROXIES", int(BEHIND_TLS)))
ALLAUTH_USER_CODE_FORMAT = {"numeric": True}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.static_finder.VendorFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or os.environ.get("PYTEST_VERSION")
        else "config.storage.HashedStaticFilesStorage"
    },
}
MEDIA_ROOT = VAR_DIR / "media"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        # Progress bars and charts set widths by style attributes; no inline <style> elements.
        "style-src": ["'self'"],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_SSL_REDIRECT = BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = BEHIND_TLS

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "common.api_auth.HashedTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    # Deny by default: a view without required_permission is refused.
    "DEFAULT_PERMISSION_CLASSES": ["common.api_access.HasRequiredPermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["common.api_json.SafeJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["common.api_throttle.UserThrottle"],
    # Per user; empty: without limit.
    "DEFAULT_THROTTLE_RATES": {"user": os.environ.get("API_RATE", "6000/min") or None},
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "common.api.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Millstream",
    "DESCRIPTION": "Orders, promises, work orders, floor, shipments and the customer portal.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": False,
    # Else two things with a state would share a name made of a hash.
    "ENUM_NAME_OVERRIDES": {
        "OrderStateEnum": "crm.enums.OrderState",
        "OperationStateEnum": "mes.enums.OperationState",
        "WorkOrderStateEnum": "mes.enums.WorkOrderState",
        "MilestoneKindEnum": "crm.enums.MilestoneKind",
        "PromiseStatusEnum": "aps.enums.PromiseStatus",
        "RunKindEnum": "aps.enums.RunKind",
        "RunStateEnum": "aps.enums.RunState",
        "RushStateEnum": "crm.enums.RushState",
        "TicketStateEnum": "crm.enums.TicketState",
        "TicketPriorityEnum": "crm.enums.TicketPriority",
        "MessageKindEnum": "crm.enums.MessageKind",
        "ReportTierEnum": "crm.enums.ReportTier",
        "PurchaseOrderStateEnum": "erp.enums.PurchaseOrderState",
        "MrpRunStateEnum": "erp.enums.MrpRunState",
        "MrpCauseEnum": "erp.enums.MrpCause",
        "TransferStateEnum": "erp.enums.TransferState",
        "MachineStatusEnum": "mes.enums.MachineStatus",
        "NonconformanceStateEnum": "mes.enums.NonconformanceState",
        "NonconformanceSourceEnum": "mes.enums.NonconformanceSource",
        "MaintenanceKindEnum": "mes.enums.MaintenanceKind",
        "MaintenanceStateEnum": "mes.enums.MaintenanceState",
    },
}

# An order of 500 lines is a form of some 3,000 fields.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4000

# A terminal on the floor locks after so many seconds without a touch.
FLOOR_LOCK_SECONDS = int(os.environ.get("FLOOR_LOCK_SECONDS", "180"))

# How long the planner waits after the last change before it plans again.
REPLAN_DEBOUNCE_SECONDS = float(os.environ.get("REPLAN_DEBOUNCE_SECONDS", "2"))
# Counts that differ by more than this value (at standard cost) wait for a second person, and
# nobody corrects the stock of an item by more than it in a day without a count.
COUNT_APPROVAL_LIMIT = Decimal(os.environ.get("COUNT_APPROVAL_LIMIT", "500"))
# The time one automatic plan may take to improve its first schedule.
SOLVE_SECONDS = float(os.environ.get("SOLVE_SECONDS", "10"))

# Changes of needs and supplies are looked at so often at most.
MRP_LOOK_SECONDS = float(os.environ.get("MRP_LOOK_SECONDS", "5"))
# Requirements are planned by themselves once changes have been quiet for so long, ...
MRP_QUIET_SECONDS = float(os.environ.get("MRP_QUIET_SECONDS", "30"))
# ... at the latest so long after the first of them, ...
MRP_LONGEST_WAIT_SECONDS = float(os.environ.get("MRP_LONGEST_WAIT_SECONDS", "300"))
# ... and never sooner than this after the last run began.
MRP_PAUSE_SECONDS = float(os.environ.get("MRP_PAUSE_SECONDS", "120"))
# From this hour of the site's day on they are planned once a day in any case.
MRP_NIGHTLY_HOUR = int(os.environ.get("MRP_NIGHTLY_HOUR", "2"))

# A state that a machine says for a shorter time is a flicker and counts as what was before.
MACHINE_DEBOUNCE_SECONDS = float(os.environ.get("MACHINE_DEBOUNCE_SECONDS", "30"))
# Where machines speak MQTT: `manage.py mqtt_listener` connects to it; empty: nowhere.
MQTT_URL = os.environ.get("MQTT_URL", "")
# The session that the broker keeps for us: one listener, one name.
MQTT_CLIENT_ID = os.environ.get("MQTT_CLIENT_ID", "") or "millstream-listener"

# A delivery day that moves by no more days than this is no news for the customer.
DELAY_NOTICE_TOLERANCE_DAYS = int(os.environ.get("DELAY_NOTICE_TOLERANCE_DAYS", "0"))
# Mail goes to smtp://user:password@host:587 (smtps:// from the first byte in TLS, smtp:// by
# STARTTLS, ?tls=0 without), into files of file:///folder, or to the log where nothing is said.
_MAIL = environment.mail(os.environ.get("EMAIL_URL", ""))
EMAIL_BACKEND = f"django.core.mail.backends.{_MAIL.backend}.EmailBackend"
EMAIL_HOST, EMAIL_PORT = _MAIL.host, _MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.user, _MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.starttls, _MAIL.tls
EMAIL_FILE_PATH = _MAIL.folder
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("EMAIL_FROM", "Millstream <millstream@localhost>")

# So many pages of a web process are told at once what changed; each holds a thread. Others ask
# every ten seconds.
LIVE_STREAMS = int(os.environ.get("LIVE_STREAMS", int(os.environ.get("WEB_THREADS", "16")) // 2))
if os.environ.get("PYTEST_VERSION"):
    # A listener would hold the test database open; tests of streams ask for some themselves.
    LIVE_STREAMS = 0

# How long a completed work order stays open for corrections before its costs are explained.
WORK_ORDER_CLOSING_SECONDS = float(os.environ.get("WORK_ORDER_CLOSING_SECONDS", str(8 * 3600)))

# Jobs that are over, with their attempts and keys; and the answers that repeated requests get.
KEEP_JOBS_DAYS = float(os.environ.get("KEEP_JOBS_DAYS", "30"))
KEEP_ANSWERS_DAYS = float(os.environ.get("KEEP_ANSWERS_DAYS", "7"))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
}
