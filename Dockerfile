# syntax=docker/dockerfile:1
# Vigie in a container: what runs is one directory, /opt/vigie, whose packages are pinned with their hashes by requirements-image.lock.
# docker build -t vigie . && docker run --rm -p 127.0.0.1:8080:8080 -v "$PWD":/data vigie
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python3 -m venv /opt/vigie
COPY requirements-image.lock ./
RUN /opt/vigie/bin/python -m pip install --quiet --require-hashes --only-binary :all: --requirement requirements-image.lock
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY src ./src
RUN /opt/vigie/bin/python -m pip install --quiet --no-deps --no-build-isolation --no-index . \
 && /opt/vigie/bin/python -m pip uninstall --quiet --yes hatchling editables trove-classifiers pathspec pluggy pip \
 && find /opt/vigie -depth -type d \( -name tests -o -name test \) -path '*/site-packages/*' -exec rm -rf {} +

FROM python:${PYTHON}-slim-bookworm
LABEL org.opencontainers.image.title="Vigie" \
      org.opencontainers.image.description="Monitors services and alerts the right people." \
      org.opencontainers.image.source="https://github.com/vigie-monitor/vigie" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 vigie \
 && useradd --system --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin vigie \
 && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /opt/vigie /opt/vigie
# The database, its state, the log, vigie.yaml and .env are in /data: nothing else is written, so that the root may be read-only.
ENV PATH=/opt/vigie/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 VIGIE_LISTEN=0.0.0.0:8080
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
ENTRYPOINT ["vigie"]
CMD ["serve"]
