# A workspace in a container: the server, on whichever base the work needs.
#
#   docker build -t yonder-workspace .
#   docker build -t my-workspace --build-arg BASE_IMAGE=python:3.13-slim-bookworm .
#   docker build -t yonder-portable --target portable .     (to copy into any glibc image: docs/containers.md)

# Where the server is built, and its Node comes from where the base has none that is recent enough.
ARG NODE_IMAGE=node:24-bookworm-slim
# What commands find around them.
ARG BASE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
RUN apt-get update \
  && apt-get install -y --no-install-recommends g++ make python3 tini \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/yonder
COPY package.json package-lock.json ./
COPY gen/package.json gen/
COPY wire/package.json wire/
COPY transfer/package.json transfer/
COPY server/package.json server/
COPY server/native server/native/
COPY client/package.json client/
COPY cli/package.json cli/
# The headers that come with Node serve to compile node-pty without a download.
RUN npm_config_nodedir=/usr/local npm ci --no-audit --no-fund --loglevel=error
COPY . .
RUN npm run --silent build \
  && npm prune --omit=dev --no-audit --no-fund --loglevel=error \
  && sh docker/assemble.sh

# The server with its own Node and init, needing nothing of where it is copied to but glibc and libstdc++.
FROM scratch AS portable
COPY --from=build /portable /

# The same without its Node where the base has one that serves.
FROM ${BASE_IMAGE} AS fitted
COPY --from=portable /opt/yonder /opt/yonder
USER 0
RUN sh /opt/yonder/share/use-own-node.sh

FROM ${BASE_IMAGE}
USER 0
COPY --from=fitted /opt/yonder /opt/yonder
RUN sh /opt/yonder/share/prepare-image.sh
# Any user can work here, with or without an entry in /etc/passwd.
ENV HOME=/home/workspace \
  YONDER_SERVER_HOST=0.0.0.0 \
  YONDER_SERVER_PORT=8000 \
  YONDER_SERVER_ALLOW_CLEARTEXT=true \
  YONDER_SERVER_WORKING_DIRECTORY=/workspace \
  YONDER_SERVER_STATE_DIRECTORY=/var/lib/yonder/state
LABEL dev.yonder.contract="1" \
  dev.yonder.socket-beside="true" \
  org.opencontainers.image.title="Yonder workspace" \
  org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /workspace
USER 1000:1000
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["/opt/yonder/bin/node", "/opt/yonder/share/healthcheck.mjs"]
# Reaps what commands leave behind, and hands signals on.
ENTRYPOINT ["/opt/yonder/bin/tini", "--", "/opt/yonder/bin/yonder"]
CMD ["serve"]
