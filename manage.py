#!/usr/bin/env python
"""Django's command line for Millstream."""

import os
import secrets
import sys

SERVE_NOBODY = ("solve", "bench_solver")  # commands without users, sessions or a database


def main() -> None:
    if sys.argv[1:2] and sys.argv[1] in SERVE_NOBODY:
        os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
