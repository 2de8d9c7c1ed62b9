# The strongest way with uv: the large packages in a step of their own, so that a change of a small
# one leaves them alone; no cache to copy from. COMPILE is --compile-bytecode or --no-compile-bytecode.
FROM slipway-bench-base
ARG COMPILE
COPY heavy.txt /heavy.txt
RUN --mount=type=bind,from=slipway-bench-wheels,target=/mnt \
    /mnt/uv venv -q --no-cache /opt/venv && \
    /mnt/uv pip install -q --no-cache --python /opt/venv/bin/python --no-index \
      --find-links /mnt/wheels --no-deps $COMPILE -r /heavy.txt
COPY light.txt /light.txt
RUN --mount=type=bind,from=slipway-bench-wheels,target=/mnt \
    /mnt/uv pip install -q --no-cache --python /opt/venv/bin/python --no-index \
      --find-links /mnt/wheels --no-deps $COMPILE -r /light.txt
ENV PATH=/opt/venv/bin:/usr/bin:/bin
