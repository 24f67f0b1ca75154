# Three images: `nats` and `postgres` are those projects' own, with our configuration, a start that says
# what is wrong, and folders that our user owns; `passage` is every service and the command line, and
# what runs in it is the module named as command.
FROM nats:2.15.1-alpine AS nats
RUN install -d -o 10001 -g 10001 -m 700 /data
COPY deploy/nats.conf /etc/nats/nats.conf
COPY --chmod=755 deploy/nats.sh deploy/nats-probe.sh /usr/local/bin/
USER 10001:10001
ENTRYPOINT ["nats.sh"]
CMD []

FROM postgres:18-alpine AS postgres
# One user owns all key files. PostgreSQL's own programs ask for its name, and `peer` goes by it.
RUN sed -i -E 's/^postgres:x:[0-9]+:[0-9]+:/postgres:x:10001:10001:/' /etc/passwd
COPY deploy/pg_hba.conf /etc/postgres/pg_hba.conf
COPY --chmod=755 deploy/postgres.sh /usr/local/bin/
USER 10001:10001
ENTRYPOINT ["postgres.sh"]
CMD []

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
# A new volume takes its owner from the folder that it is mounted on.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin passage \
 && install -d -o 10001 -g 10001 -m 700 /registry /witness /sealed /backups /people
# Python's image comes without compiled modules, and each start would compile them anew.
RUN python -c 'import compileall, sysconfig; compileall.compile_dir(sysconfig.get_path("stdlib"), quiet=2)'
COPY --from=build /app /app
COPY --chmod=755 deploy/probe.sh /usr/local/bin/
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["python", "-m"]
CMD ["passage", "--help"]
