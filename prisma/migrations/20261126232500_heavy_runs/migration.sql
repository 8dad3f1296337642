-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "heavy" BOOLEAN NOT NULL DEFAULT false;

-- What waits is heavy where no backup before it says otherwise.
UPDATE "runs" SET "heavy" = true WHERE "state" IN ('queued', 'running')
  AND NOT EXISTS (SELECT FROM "runs" "before" WHERE "before"."plan_id" = "runs"."plan_id" AND "before"."snapshot_id" IS NOT NULL);

-- DropIndex
DROP INDEX "runs_waiting";

-- CreateIndex
CREATE INDEX "runs_waiting_by_weight" ON "runs"("heavy", "host", "turn_at", "queued_at", "due_at", "worked_ms") WHERE (state = 'queued'::run_state);
