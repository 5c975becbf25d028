"""Schedules under /api/v1/."""
