# The app with Microsoft's Functions host in one image, for Container Apps, Kubernetes or a virtual machine:
#
#   docker build --build-arg VERSION="$(git describe --tags --always)" -t holdfast .
#
# It is configured by the same settings as on Azure Functions, as environment variables; docs/functions.md names them.

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETARCH=amd64
ARG VERSION=unversioned
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go run ./cmd/deploy package -arch "$TARGETARCH" -version "$VERSION" -folder /app

FROM mcr.microsoft.com/azure-functions/dotnet:4
ENV AzureWebJobsScriptRoot=/home/site/wwwroot \
    AzureFunctionsJobHost__Logging__Console__IsEnabled=true \
    FUNCTIONS_WORKER_RUNTIME=custom
COPY --from=build /app /home/site/wwwroot
