from django.urls import URLPattern, URLResolver

app_name = "aps"
urlpatterns: list[URLPattern | URLResolver] = []
