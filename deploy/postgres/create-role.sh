#!/bin/sh
# Runs once, when the cluster is made: the application's role, which is no superuser, and its
# database. Tables that are append-only for the application rely on that.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --set "password=$DATABASE_PASSWORD" --username postgres <<'SQL'
CREATE ROLE millstream LOGIN PASSWORD :'password';
CREATE DATABASE millstream OWNER millstream;
SQL
