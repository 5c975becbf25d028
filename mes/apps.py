from django.apps import AppConfig


class MESConfig(AppConfig):
    name = "mes"
