# One image for every service of docker-compose.yaml: Airflow's parts, the workers, the console and MLflow.
FROM python:3.11-slim-bookworm

# libgomp1: torch and FAISS; libgl1 and libglib2.0-0: OpenCV, which grad-cam brings; postgresql-client: backups
RUN apt-get update \
    && apt-get install -y --no-install-recommends curl libgl1 libglib2.0-0 libgomp1 make postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 anomalyos \
    && install -d -o anomalyos -g anomalyos /opt/anomalyos /data

WORKDIR /opt/anomalyos
USER anomalyos

# dependencies first: they change less often than the code, and take minutes
COPY --chown=anomalyos Makefile README.md pyproject.toml requirements.lock ./
COPY --chown=anomalyos anomalyos/__init__.py anomalyos/__init__.py
COPY --chown=anomalyos console/__init__.py console/__init__.py
RUN make .venv/.installed

COPY --chown=anomalyos . .

ENV PATH=/opt/anomalyos/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ANOMALYOS_HOME=/data \
    ANOMALYOS_ROOT=/opt/anomalyos \
    AIRFLOW_CONFIG=/opt/anomalyos/airflow.cfg \
    AIRFLOW_HOME=/data/airflow \
    ANOMALYOS_AIRFLOW_PASSWORDS=/data/secrets/airflow_passwords.json

VOLUME /data
CMD ["anomalyos", "--help"]
