-- CreateIndex
CREATE INDEX "token_generations_waiting" ON "token_generations"("grant_id") WHERE (state IN ('pending', 'replaced'));
