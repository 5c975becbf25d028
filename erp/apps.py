from django.apps import AppConfig


class ERPConfig(AppConfig):
    name = "erp"
