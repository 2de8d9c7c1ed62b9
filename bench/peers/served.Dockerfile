# uv.Dockerfile for builders without `RUN --mount`: uv lies in the base, and the wheels come from a
# server on this machine. COMPILE is --compile-bytecode or --no-compile-bytecode.
FROM slipway-bench-base-uv
ARG COMPILE
ARG PORT
COPY heavy.txt /heavy.txt
RUN /uv venv -q --no-cache /opt/venv && \
    /uv pip install -q --no-cache --python /opt/venv/bin/python --no-index \
      --find-links http://127.0.0.1:$PORT/ --no-deps $COMPILE -r /heavy.txt
COPY light.txt /light.txt
RUN /uv pip install -q --no-cache --python /opt/venv/bin/python --no-index \
      --find-links http://127.0.0.1:$PORT/ --no-deps $COMPILE -r /light.txt
ENV PATH=/opt/venv/bin:/usr/bin:/bin
