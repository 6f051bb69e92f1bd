# syntax=docker/dockerfile:1
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
# docker build --build-arg VERSION=$(git describe --tags --always) ...
ARG VERSION=development
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/strikeout ./cmd/strikeout
# Distroless has no shell to make a directory with: the volumes' owner comes from here.
RUN mkdir -p /out/data /out/spool

FROM gcr.io/distroless/static:nonroot
COPY --from=build /out/strikeout /usr/local/bin/strikeout
COPY --from=build --chown=nonroot:nonroot /out/data /var/lib/strikeout/data
COPY --from=build --chown=nonroot:nonroot /out/spool /var/lib/strikeout/spool
USER nonroot:nonroot
WORKDIR /var/lib/strikeout
ENV STRIKEOUT_LISTEN=0.0.0.0:8080 \
    STRIKEOUT_DATA_DIR=/var/lib/strikeout/data
VOLUME ["/var/lib/strikeout/data", "/var/lib/strikeout/spool"]
EXPOSE 8080
# The image has nothing to call itself with: let the orchestrator ask
# GET /healthz (alive) and GET /readyz (can store).
HEALTHCHECK NONE
ENTRYPOINT ["/usr/local/bin/strikeout"]
CMD ["serve"]
