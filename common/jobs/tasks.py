"""The one Celery task: a wake-up for a row of the ledger."""

import logging
import os
import socket

from celery import shared_task
from django.db import DatabaseError, InterfaceError, connections

from common.jobs import runner

logger = logging.getLogger(__name__)


@shared_task(name="common.run_job", ignore_result=True)  # type: ignore[untyped-decorator]
def run_job(job_id: int) -> None:
    """Run the job if it is due and free; a wake-up too many does nothing.

    A database that went away is no error of the message: the dispatcher sends another one.
    """
    try:
        runner.run_one(job_id, worker=f"{socket.gethostname()}:{os.getpid()}")
    except (DatabaseError, InterfaceError):
        logger.warning("Job %s: the database went away; it will be sent again.", job_id)
    finally:
        connections.close_all()
