-- DropIndex
DROP INDEX "grants_living_max";

-- CreateIndex
CREATE INDEX "grants_living_ends" ON "grants"("max_deadline", "warned_days") WHERE (state IN ('active'::grant_state, 'suspect'::grant_state));
