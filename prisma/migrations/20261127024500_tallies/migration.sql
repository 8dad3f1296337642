-- CreateTable
CREATE TABLE "grant_tallies" (
    "id" BIGSERIAL NOT NULL,
    "state" "grant_state" NOT NULL,
    "reason" TEXT,
    "n" INTEGER NOT NULL,

    CONSTRAINT "grant_tallies_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "run_tallies" (
    "id" BIGSERIAL NOT NULL,
    "night" TEXT NOT NULL,
    "of_night" BOOLEAN NOT NULL,
    "state" "run_state" NOT NULL,
    "queued" TIMESTAMPTZ(3) NOT NULL,
    "ended" TIMESTAMPTZ(3) NOT NULL,
    "n" INTEGER NOT NULL,

    CONSTRAINT "run_tallies_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "exchange_tallies" (
    "id" BIGSERIAL NOT NULL,
    "started" TIMESTAMPTZ(3) NOT NULL,
    "verdict" TEXT NOT NULL,
    "n" INTEGER NOT NULL,

    CONSTRAINT "exchange_tallies_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "run_tallies_ended_idx" ON "run_tallies"("ended");

-- CreateIndex
CREATE INDEX "run_tallies_night_of_night_idx" ON "run_tallies"("night", "of_night");

-- CreateIndex
CREATE INDEX "exchange_tallies_started_idx" ON "exchange_tallies"("started");

-- CreateIndex
CREATE INDEX "grants_living_idle" ON "grants"("idle_deadline") WHERE (state IN ('active'::grant_state, 'suspect'::grant_state));

-- CreateIndex
CREATE INDEX "grants_living_max" ON "grants"("max_deadline") WHERE (state IN ('active'::grant_state, 'suspect'::grant_state));

-- CreateIndex
CREATE INDEX "runs_failed" ON "runs"("finished_at") WHERE (state = 'failed'::run_state);

-- CreateIndex
CREATE INDEX "users_created_at_idx" ON "users"("created_at");

-- CreateIndex
CREATE INDEX "repositories_held" ON "repositories"("user_id") WHERE (retention_hold IS NOT NULL);

-- CreateIndex
CREATE INDEX "verifications_damaged" ON "verifications"("user_id") WHERE (damage_state IS NOT NULL);

-- Since when a repository was not verified: of an expression, which the schema file cannot say. See listDoubtfulRepositories of src/database/verifications.ts.
CREATE INDEX "verifications_looked_at" ON "verifications"((coalesce(CASE WHEN damage_state IS NULL THEN verified_at ELSE checked_at END, since)), "user_id");

-- How many there are of each kind, kept by whoever changes a row, an older version and a person with psql among them: figures are sums of
-- these rows and not counts of everybody. Each change adds a row, since one that all of them rewrote would have them wait for each other;
-- foldTallies of src/database/tallies.ts makes one of those that are alike. So a sum is right at every moment, folded or not.
CREATE FUNCTION "tally_grant"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO "grant_tallies" ("state", "reason", "n") VALUES (OLD."state", OLD."reason", -1);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO "grant_tallies" ("state", "reason", "n") VALUES (NEW."state", NEW."reason", 1);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "grants_come_and_go_tallied" AFTER INSERT OR DELETE ON "grants" FOR EACH ROW EXECUTE FUNCTION "tally_grant"();
CREATE TRIGGER "grants_tallied" AFTER UPDATE ON "grants" FOR EACH ROW
  WHEN ((OLD."state", OLD."reason") IS DISTINCT FROM (NEW."state", NEW."reason")) EXECUTE FUNCTION "tally_grant"();

-- Of runs those that ended. To the quarter of an hour that they were queued in: in every zone nights begin with one.
CREATE FUNCTION "tally_run"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD."state" NOT IN ('queued', 'running') THEN
    INSERT INTO "run_tallies" ("night", "of_night", "state", "queued", "ended", "n")
    VALUES (OLD."night", OLD."slot" = 'night', OLD."state", date_bin('15 minutes', OLD."queued_at", 'epoch'),
      date_bin('1 minute', coalesce(OLD."finished_at", OLD."queued_at"), 'epoch'), -1);
  END IF;
  IF NEW."state" NOT IN ('queued', 'running') THEN
    INSERT INTO "run_tallies" ("night", "of_night", "state", "queued", "ended", "n")
    VALUES (NEW."night", NEW."slot" = 'night', NEW."state", date_bin('15 minutes', NEW."queued_at", 'epoch'),
      date_bin('1 minute', coalesce(NEW."finished_at", NEW."queued_at"), 'epoch'), 1);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "runs_come_tallied" AFTER INSERT ON "runs" FOR EACH ROW WHEN (NEW."state" NOT IN ('queued', 'running')) EXECUTE FUNCTION "tally_run"();
CREATE TRIGGER "runs_tallied" AFTER UPDATE ON "runs" FOR EACH ROW
  WHEN ((OLD."state" NOT IN ('queued', 'running') OR NEW."state" NOT IN ('queued', 'running'))
    AND (OLD."state", OLD."night", OLD."slot", OLD."queued_at", OLD."finished_at")
      IS DISTINCT FROM (NEW."state", NEW."night", NEW."slot", NEW."queued_at", NEW."finished_at"))
  EXECUTE FUNCTION "tally_run"();

-- Old ones go a thousand at a time.
CREATE FUNCTION "tally_gone_runs"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "run_tallies" ("night", "of_night", "state", "queued", "ended", "n")
  SELECT "night", "slot" = 'night', "state", date_bin('15 minutes', "queued_at", 'epoch'),
    date_bin('1 minute', coalesce("finished_at", "queued_at"), 'epoch'), -count(*)
  FROM gone WHERE "state" NOT IN ('queued', 'running') GROUP BY 1, 2, 3, 4, 5;
  RETURN NULL;
END $$;

CREATE TRIGGER "runs_go_tallied" AFTER DELETE ON "runs" REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION "tally_gone_runs"();

-- Of exchanges those that were judged.
CREATE FUNCTION "tally_exchange"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD."verdict" IS NOT NULL THEN
    INSERT INTO "exchange_tallies" ("started", "verdict", "n") VALUES (date_bin('1 minute', OLD."started_at", 'epoch'), OLD."verdict", -1);
  END IF;
  IF NEW."verdict" IS NOT NULL THEN
    INSERT INTO "exchange_tallies" ("started", "verdict", "n") VALUES (date_bin('1 minute', NEW."started_at", 'epoch'), NEW."verdict", 1);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "exchanges_come_tallied" AFTER INSERT ON "exchanges" FOR EACH ROW WHEN (NEW."verdict" IS NOT NULL) EXECUTE FUNCTION "tally_exchange"();
CREATE TRIGGER "exchanges_tallied" AFTER UPDATE ON "exchanges" FOR EACH ROW
  WHEN ((OLD."verdict", OLD."started_at") IS DISTINCT FROM (NEW."verdict", NEW."started_at")) EXECUTE FUNCTION "tally_exchange"();

CREATE FUNCTION "tally_gone_exchanges"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "exchange_tallies" ("started", "verdict", "n")
  SELECT date_bin('1 minute', "started_at", 'epoch'), "verdict", -count(*) FROM gone WHERE "verdict" IS NOT NULL GROUP BY 1, 2;
  RETURN NULL;
END $$;

CREATE TRIGGER "exchanges_go_tallied" AFTER DELETE ON "exchanges" REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION "tally_gone_exchanges"();

-- Counts into empty tallies what is there, of the last 60 days: no figure looks back further.
CREATE FUNCTION "count_tallies"() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "grant_tallies" ("state", "reason", "n") SELECT "state", "reason", count(*) FROM "grants" GROUP BY 1, 2;
  INSERT INTO "run_tallies" ("night", "of_night", "state", "queued", "ended", "n")
  SELECT "night", "slot" = 'night', "state", date_bin('15 minutes', "queued_at", 'epoch'),
    date_bin('1 minute', coalesce("finished_at", "queued_at"), 'epoch'), count(*)
  FROM "runs" WHERE "state" NOT IN ('queued', 'running')
    AND coalesce("finished_at", "queued_at") > (SELECT max("finished_at") FROM "runs") - interval '60 days' GROUP BY 1, 2, 3, 4, 5;
  INSERT INTO "exchange_tallies" ("started", "verdict", "n")
  SELECT date_bin('1 minute', "started_at", 'epoch'), "verdict", count(*) FROM "exchanges"
  WHERE "verdict" IS NOT NULL AND "started_at" > (SELECT max("started_at") FROM "exchanges") - interval '60 days' GROUP BY 1, 2;
END $$;

SELECT "count_tallies"();
