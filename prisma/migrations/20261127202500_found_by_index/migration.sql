-- CreateIndex
CREATE INDEX "users_subject_idx" ON "users"("subject");

-- CreateIndex
CREATE INDEX "grants_issuer_subject_idx" ON "grants"("issuer", "subject");

-- CreateIndex
CREATE INDEX "grants_active_by_use" ON "grants"("issuer", "client_id", "last_exchanged_at") WHERE (state = 'active'::grant_state);

-- CreateIndex
CREATE INDEX "token_generations_received_at_idx" ON "token_generations"("received_at");

-- CreateIndex
CREATE INDEX "token_generations_of_session" ON "token_generations"("sid") WHERE (sid IS NOT NULL AND state = 'current'::generation_state);

-- CreateIndex
CREATE INDEX "exchanges_odd" ON "exchanges"("started_at") WHERE (verdict = 'ambiguous' OR hint IN ('token_reused', 'withdrawn_at_provider'));

-- CreateIndex
CREATE INDEX "runs_queued_at_idx" ON "runs"("queued_at");

-- CreateIndex
CREATE INDEX "audit_by_people" ON "audit"("by") WHERE (by <> 'schedule');

-- CreateIndex
CREATE INDEX "audit_by_time" ON "audit" USING BRIN ("at");

-- CreateIndex
CREATE INDEX "plans_paused" ON "plans"("id") WHERE (paused);
