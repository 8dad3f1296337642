-- DropIndex
DROP INDEX "grants_next_exchange_at_idx";

-- CreateIndex
CREATE INDEX "grants_next_exchange_at_idle_deadline_id_idx" ON "grants"("next_exchange_at", "idle_deadline", "id");
