# What most people write: one step, pip. COMPILE is --compile or --no-compile.
FROM slipway-bench-base
ARG COMPILE
COPY all.txt /all.txt
RUN --mount=type=bind,from=slipway-bench-wheels,target=/mnt \
    python3 -m venv /opt/venv && \
    /opt/venv/bin/pip install -q --no-cache-dir --no-index --find-links /mnt/wheels --no-deps \
      $COMPILE -r /all.txt
ENV PATH=/opt/venv/bin:/usr/bin:/bin
