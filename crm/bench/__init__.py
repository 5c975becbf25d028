"""Measurements of the chain on a real company's data; ``python manage.py bench`` prints them."""
