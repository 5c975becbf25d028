"""What ``manage.py bench_solver`` measures: instances, the peer beside us, fresh processes."""
