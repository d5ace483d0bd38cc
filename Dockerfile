FROM python:3.11.15-slim-trixie

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

WORKDIR /srv/duly

# What PDFs of documents show of Chinese, Japanese and Korean by: 40 MB, of which the serif faces are left out.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-noto-cjk fonts-noto-color-emoji \
    && rm -rf /var/lib/apt/lists/* /usr/share/fonts/opentype/noto/NotoSerifCJK-*

# The packages change less often than the code: their layer is built first and kept.
COPY requirements-runtime.lock .
RUN pip install --require-hashes -r requirements-runtime.lock \
    && useradd --system --no-create-home --uid 10001 duly

# Neither the sandbox nor the tests are part of the image.
COPY alembic.ini console.py portal.py starter.py webhook.py worker.py ./
COPY activities/ activities/
COPY commands/ commands/
COPY migrations/ migrations/
COPY models/ models/
COPY settings/ settings/
COPY telemetry/ telemetry/
COPY web/ web/
COPY workflows/ workflows/

# Whoever runs here writes nothing: without this every start would compile all modules anew, a second of it.
RUN python -m compileall -q .

USER duly
CMD ["python", "worker.py"]
