-- CreateIndex
CREATE INDEX "verifications_healed" ON "verifications"("cleared_at") WHERE (cleared_at IS NOT NULL);
