-- DropIndex
DROP INDEX "exchanges_grant_id_started_at_idx";

-- CreateIndex
CREATE INDEX "exchanges_grant_id_fence_idx" ON "exchanges"("grant_id", "fence");
