-- Unlogged: written with each request that is limited, and of minutes only; a crash empties it.
CREATE UNLOGGED TABLE "rate_limits" (
    "key" TEXT NOT NULL,
    "full_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "rate_limits_pkey" PRIMARY KEY ("key")
);

-- CreateIndex
CREATE INDEX "rate_limits_full_at_idx" ON "rate_limits"("full_at");
