# The bundle and nothing else: built with the development dependencies, run without any of them.
FROM node:26-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src ./src
RUN npm run build

FROM gcr.io/distroless/nodejs24-debian12:nonroot
# With package.json, which says that these are modules: otherwise each is compiled twice, to find out.
COPY --from=build /build/package.json /build/dist/ /app/
USER 65532:65532
# A list leaves many times what is kept of it. Left alone, Node makes room for all of it and keeps the room: 60 MB more
# with 24,000 routes. And it lets garbage grow to several times what is in use before it looks: a fifth has to do, which
# costs a second or two of a start there and spares 40 MB. The heap it may have is less than the Deployment's limit.
ENV MALLOC_ARENA_MAX=2
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=4", "--heap-growing-percent=20", "--max-old-space-size=256", "/app/portcullis.js"]
CMD ["webhook"]
