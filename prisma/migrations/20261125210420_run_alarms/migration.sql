-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "alarm" TEXT,
ADD COLUMN     "alarm_seen_at" TIMESTAMPTZ(3),
ADD COLUMN     "held_snapshot_id" TEXT;

-- CreateIndex
CREATE INDEX "runs_plan_id_state_finished_at_idx" ON "runs"("plan_id", "state", "finished_at");

-- CreateIndex
CREATE INDEX "runs_alarms" ON "runs"("plan_id") WHERE (alarm IS NOT NULL AND alarm_seen_at IS NULL);
