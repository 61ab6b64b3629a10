# One image for every process: pratique run SERVICE, pratique run gateway, pratique migrate, pratique doctor.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv /venv
# First what changes seldom: the locked dependencies, each by its hash.
COPY requirements.lock ./
RUN /venv/bin/pip install --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY pratique pratique
RUN /venv/bin/pip install --no-deps --no-build-isolation --editable . && /venv/bin/pip uninstall --yes setuptools
COPY chassis chassis
COPY words words
COPY services services
COPY gateway gateway
COPY operations operations
COPY demo demo
COPY deploy/ready.sh deploy/
RUN /venv/bin/python -m compileall -q pratique chassis words services gateway operations demo

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PRATIQUE_HOME=/app
COPY --from=build /venv /venv
COPY --from=build /app /app
# Volumes mounted here begin with this owner; everything else is read only.
RUN install -d -o 10001 -g 10001 /var/lib/pratique/mail
WORKDIR /app
USER 10001:10001
EXPOSE 8000 9100
ENTRYPOINT ["pratique"]
CMD ["--help"]
