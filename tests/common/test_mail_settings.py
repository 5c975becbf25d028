"""Where mail goes, by one variable of the environment."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import Mail, mail


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("", Mail("console")),
        ("file:///var/mail", Mail("filebased", folder="/var/mail")),
        ("smtp://mx.example.com", Mail("smtp", "mx.example.com", 587, starttls=True)),
        (
            "smtp://us%40er:p%3Aw@mx:2525?tls=0",
            Mail("smtp", "mx", 2525, user="us@er", password="p:w"),
        ),
        ("smtps://mx", Mail("smtp", "mx", 465, tls=True)),
    ],
)
def test_a_mail_url_is_read(url, meant):
    assert mail(url) == meant


@pytest.mark.parametrize("url", ["mx.example.com", "smtp://", "file://", "http://mx"])
def test_another_url_is_refused_with_how_it_should_look(url):
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL must look like"):
        mail(url)
