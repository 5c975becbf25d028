"""A day of the demo factory, played so that its screens move; ``manage.py simulate`` plays it.

The factory's minutes go faster than the clock, and every fact carries the time of the clock, so
that timers, plans and pages agree with it. What people do goes through the services that pages
call; what a service refuses is said and left.
"""
