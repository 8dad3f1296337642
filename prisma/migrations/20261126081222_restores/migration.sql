-- CreateEnum
CREATE TYPE "restore_state" AS ENUM ('asked', 'running', 'succeeded', 'partial', 'failed', 'cancelled');

-- CreateTable
CREATE TABLE "restores" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "snapshot_id" TEXT NOT NULL,
    "path" TEXT NOT NULL,
    "state" "restore_state" NOT NULL DEFAULT 'asked',
    "folder" TEXT,
    "asked_at" TIMESTAMPTZ(3) NOT NULL,
    "started_at" TIMESTAMPTZ(3),
    "told_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "cancelled_at" TIMESTAMPTZ(3),
    "files" INTEGER NOT NULL DEFAULT 0,
    "bytes" BIGINT NOT NULL DEFAULT 0,
    "expected_files" INTEGER,
    "expected_bytes" BIGINT,
    "problems" JSONB,
    "problem_count" INTEGER NOT NULL DEFAULT 0,
    "message" TEXT,

    CONSTRAINT "restores_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "restores_user_id_asked_at_idx" ON "restores"("user_id", "asked_at");

-- AddForeignKey
ALTER TABLE "restores" ADD CONSTRAINT "restores_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
