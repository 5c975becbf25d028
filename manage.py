#!/usr/bin/env python3
"""Django's command line for Millstream."""

import os
import sys

from tools import checkout, errors


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    checkout.take_its_python()
    with checkout.its_servers(sys.argv[1:]):
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
    return 0


if __name__ == "__main__":
    errors.run_main(main)
