from django.apps import AppConfig


class APSConfig(AppConfig):
    name = "aps"
