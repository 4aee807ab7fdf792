# One image for web, worker and beat. The base is pinned: raise tag and digest together, in both places.
FROM python:3.13.14-slim@sha256:9662417aace5ae7b8e2609cce472b72a8958e134ba372808abe9cc1a0c0125e6 AS build
COPY requirements.lock /tmp/requirements.lock
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r /tmp/requirements.lock

FROM python:3.13.14-slim@sha256:9662417aace5ae7b8e2609cce472b72a8958e134ba372808abe9cc1a0c0125e6
RUN useradd --uid 10001 --create-home newsletter && install --directory --owner newsletter --mode 700 /data
COPY --from=build /venv /venv
WORKDIR /app
COPY newsletter newsletter
COPY templates templates
COPY packs packs
COPY worker.py beat_schedule.py ./
RUN printf '#!/bin/sh\nexec /venv/bin/python -m newsletter "$@"\n' > /usr/local/bin/newsletter && chmod +x /usr/local/bin/newsletter
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    NEWSLETTER_DATA_DIR=/data NEWSLETTER_BIND=0.0.0.0:8000
USER newsletter
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["newsletter", "web"]
