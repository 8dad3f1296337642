-- CreateIndex
CREATE INDEX "events_at_idx" ON "events"("at");

-- CreateIndex
CREATE INDEX "exchanges_unanswered" ON "exchanges"("started_at") WHERE (answered_at IS NULL);

-- CreateIndex
CREATE INDEX "grants_idle_deadline_id_idx" ON "grants"("idle_deadline", "id");

-- CreateIndex
CREATE INDEX "grants_max_deadline_idx" ON "grants"("max_deadline");

-- CreateIndex
CREATE INDEX "grants_lost_rotation" ON "grants"("id") WHERE (reason = 'lost_rotation');

-- CreateIndex
CREATE INDEX "notices_created_at_idx" ON "notices"("created_at");

-- CreateIndex
CREATE INDEX "notices_to_operators" ON "notices"("delivered_at") WHERE (user_id IS NULL);

-- CreateIndex
CREATE INDEX "restores_asked_at_idx" ON "restores"("asked_at");

-- CreateIndex
CREATE INDEX "web_sessions_last_seen_at_idx" ON "web_sessions"("last_seen_at");

-- The order in which people are listed, and repositories pruned: of expressions, which the schema file cannot say.
CREATE INDEX "users_by_name" ON "users"((coalesce("username", "subject")), "id");
CREATE INDEX "repositories_pruned" ON "repositories"((coalesce("pruned_at", "created_at"))) WHERE "erase_at" IS NULL AND "checkpoint" IS NULL;
