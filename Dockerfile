# One image for web, worker and beat. Pin the base by digest where you build for others.
FROM python:3.13-slim AS build
COPY requirements.lock /tmp/requirements.lock
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r /tmp/requirements.lock

FROM python:3.13-slim
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
