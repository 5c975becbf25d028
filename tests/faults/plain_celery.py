"""Celery as it comes, for the control of ``common.jobs.consumer``."""

from config.celery import app

app.conf.worker_consumer = "celery.worker.consumer:Consumer"
