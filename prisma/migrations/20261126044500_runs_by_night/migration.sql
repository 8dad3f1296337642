-- CreateIndex
CREATE INDEX "runs_night_slot_state_idx" ON "runs"("night", "slot", "state");

-- CreateIndex
CREATE INDEX "runs_finished_at_idx" ON "runs"("finished_at");
