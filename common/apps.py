from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CommonConfig(AppConfig):
    name = "common"

    def ready(self) -> None:
        # Each app's jobs.py registers what the ledger may run; config.subscriptions says
        # which job reacts to which event.
        autodiscover_modules("jobs")
        from importlib import import_module

        import_module("config.subscriptions")
        import_module("common.cleaning")
