from django.urls import URLPattern, URLResolver

app_name = "erp"
urlpatterns: list[URLPattern | URLResolver] = []
