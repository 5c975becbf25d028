"""The component gallery; answers 404 outside demo and debug mode."""

from django.urls import path

from common.views import gallery

urlpatterns = [
    path("", gallery.gallery, name="gallery"),
    path("portal/", gallery.gallery_portal, name="gallery-portal"),
]
