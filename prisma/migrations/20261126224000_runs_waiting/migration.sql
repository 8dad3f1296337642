-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "host" TEXT NOT NULL DEFAULT '';

-- What waits keeps its place among those of its host.
UPDATE "runs" SET "host" = coalesce(substring("plans"."sources" -> 0 ->> 'url' FROM '^[a-z]+://([^/]+)'), '')
FROM "plans" WHERE "plans"."id" = "runs"."plan_id" AND "runs"."state" IN ('queued', 'running');

-- CreateIndex
CREATE INDEX "runs_waiting" ON "runs"("host", "turn_at", "queued_at", "due_at", "worked_ms") WHERE (state = 'queued'::run_state);
