-- CreateTable
CREATE TABLE "state_exports" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "lease_until" TIMESTAMPTZ(3),
    "tried_at" TIMESTAMPTZ(3) NOT NULL,
    "error_code" TEXT,
    "made_at" TIMESTAMPTZ(3),
    "key_id" TEXT,
    "bytes" BIGINT NOT NULL DEFAULT 0,
    "kept" INTEGER NOT NULL DEFAULT 0,
    "overdue" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "state_exports_pkey" PRIMARY KEY ("id")
);
