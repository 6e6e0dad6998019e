# Two stages: everything is installed from hashed files in the first, only the result goes into the second.
ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/cascade
COPY requirements-telegram.txt requirements-board.txt ./
RUN /opt/cascade/bin/pip install --require-hashes -r requirements-telegram.txt -r requirements-board.txt
COPY pyproject.toml README.md LICENSE ./
COPY service service
RUN /opt/cascade/bin/pip install --no-deps --no-build-isolation . \
    && /opt/cascade/bin/pip uninstall -y hatchling editables pathspec pluggy tomlkit trove-classifiers pip

FROM python:${PYTHON}
# The working directory looks like a checkout: config/cascade.toml is found by itself, data/ is the volume.
WORKDIR /srv/cascade
RUN useradd --system --uid 10001 --user-group --no-create-home cascade && install -d -o cascade -g cascade data
COPY --from=build /opt/cascade /opt/cascade
COPY config/cascade.toml config/cascade.toml
# Inside the container the door is open to the container's networks; compose publishes it on 127.0.0.1 only.
# The pictures' library wants a place for its list of fonts; /tmp is the one that may be written.
ENV MPLCONFIGDIR=/tmp/matplotlib PATH=/opt/cascade/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 CASCADE_API__HOST=0.0.0.0
USER cascade
VOLUME /srv/cascade/data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=4 \
    CMD ["cascade", "status", "--url", "http://127.0.0.1:8000"]
ENTRYPOINT ["cascade"]
CMD ["run"]
