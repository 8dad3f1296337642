-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "claimed_at" TIMESTAMPTZ(3),
ADD COLUMN     "turn_at" TIMESTAMPTZ(3) NOT NULL DEFAULT '1970-01-01 00:00:00+00',
ADD COLUMN     "worked_ms" INTEGER NOT NULL DEFAULT 0;

-- What waits keeps its order.
UPDATE "runs" SET "turn_at" = "due_at", "claimed_at" = "started_at" WHERE "state" IN ('queued', 'running');
