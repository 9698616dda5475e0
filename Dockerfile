# The bundle and nothing else: built with the development dependencies, run without any of them.
FROM node:26-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src ./src
RUN npm run build

FROM gcr.io/distroless/nodejs24-debian12:nonroot
COPY --from=build /build/dist/portcullis.js /portcullis.js
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node", "/portcullis.js"]
CMD ["webhook"]
