from django.urls import URLPattern, URLResolver

app_name = "masterdata"
urlpatterns: list[URLPattern | URLResolver] = []
