# Two images: `nats` is the NATS project's own with our configuration and a folder its user owns;
# `passage` is every service and the command line, what runs is the module named as command.
FROM nats:2.15.1-alpine AS nats
RUN install -d -o 10001 -g 10001 -m 700 /data
COPY deploy/nats.conf /etc/nats/nats.conf
USER 10001:10001
ENTRYPOINT ["nats-server"]
CMD ["-c", "/etc/nats/nats.conf"]

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /app
ENV PATH=/app/bin:$PATH
WORKDIR /src
COPY requirements/run.txt requirements/run.in requirements/
RUN pip install --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md ./
COPY shared shared
COPY services services
COPY passage passage
RUN pip install --no-deps --no-build-isolation .

FROM python:3.11-slim AS passage
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin passage \
 && install -d -o 10001 -g 10001 -m 700 /registry
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["python", "-m"]
CMD ["passage", "--help"]
