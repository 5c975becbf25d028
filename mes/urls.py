from django.urls import URLPattern, URLResolver

app_name = "mes"
urlpatterns: list[URLPattern | URLResolver] = []
