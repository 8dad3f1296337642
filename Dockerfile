# syntax=docker/dockerfile:1

# TypeScript runs as it is: the only thing made here is the Prisma client.
FROM node:24.21.0-bookworm-slim AS client
WORKDIR /app
COPY package.json package-lock.json ./
COPY prisma ./prisma
RUN npm ci --omit=dev --omit=peer --ignore-scripts --no-audit --no-fund && node prisma/generate.ts

# The optional packages are a Node and a PostgreSQL for machines that lack them, and what makes the client.
FROM node:24.21.0-bookworm-slim AS modules
WORKDIR /app
COPY package.json package-lock.json ./
COPY scripts/trim-modules.ts ./scripts/
RUN npm ci --omit=dev --omit=peer --omit=optional --ignore-scripts --no-audit --no-fund && node scripts/trim-modules.ts

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=modules /app/node_modules ./node_modules
COPY package.json ./
COPY prisma/schema.prisma ./prisma/
COPY prisma/migrations ./prisma/migrations
COPY src ./src
COPY worker ./worker
COPY --from=client /app/src/database/generated ./src/database/generated
RUN install --directory --owner=node --group=node --mode=0700 /data
USER node
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:3000/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--v8-pool-size=1", "--max-semi-space-size=8", "--initial-heap-size=64", "--heap-growing-percent=30", "--expose-gc", "src/main.ts"]
CMD ["start"]
