-- CreateIndex
CREATE INDEX "grants_not_active" ON "grants"("state", "user_id") WHERE (state <> 'active'::grant_state);
