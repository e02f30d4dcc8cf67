# One image for the worker, the API and the dashboard: `docker run taskengine COMMAND`.
# Every dependency is checked against the hashes in requirements/, as in `make`.

FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements/ requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/build.txt \
 && uv venv --no-cache /opt/taskengine \
 && uv pip install --no-cache --python /opt/taskengine/bin/python --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY tasks/ tasks/
COPY api/ api/
COPY dashboard/ dashboard/
RUN python -m hatchling build -t wheel -d dist \
 && uv pip install --no-cache --python /opt/taskengine/bin/python --no-deps dist/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /app --create-home taskengine \
 && install -d -o taskengine -g taskengine -m 0700 /data
COPY --from=build /opt/taskengine /opt/taskengine
ENV PATH=/opt/taskengine/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TASKENGINE_DATA_DIR=/data
USER taskengine
# Modules of your own go here: `taskengine worker shop.tasks:engine` looks in the working directory.
WORKDIR /app
ENTRYPOINT ["taskengine"]
CMD ["--help"]
