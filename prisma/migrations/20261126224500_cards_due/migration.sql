-- AlterTable
ALTER TABLE "repositories" ADD COLUMN     "card_due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT '1970-01-01 00:00:00 +00:00',
ADD COLUMN     "card_version" INTEGER NOT NULL DEFAULT 1;

-- CreateIndex
CREATE INDEX "repositories_card_due_at_id_idx" ON "repositories"("card_due_at", "id");

-- CreateIndex
CREATE INDEX "repositories_card_key_id_card_due_at_idx" ON "repositories"("card_key_id", "card_due_at");

-- Whoever changes what a card says, an older version and a person with psql among them, makes it due at once: there is no list of such
-- places in the code that could lack one. What a card says stands in cardOf of src/flows/adoption/keep-card.ts.
CREATE FUNCTION "card_is_due"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."card_due_at" := '1970-01-01 00:00:00 +00:00';
  NEW."card_version" := OLD."card_version" + 1;
  RETURN NEW;
END $$;

CREATE TRIGGER "repositories_card_is_due" BEFORE UPDATE ON "repositories" FOR EACH ROW
  WHEN ((OLD."id", OLD."user_id", OLD."location", OLD."store", OLD."moving_to", OLD."sealed_password", OLD."recovery_key_file",
      OLD."recovery_kept_at", OLD."erase_at", OLD."former_plan", OLD."created_at")
    IS DISTINCT FROM (NEW."id", NEW."user_id", NEW."location", NEW."store", NEW."moving_to", NEW."sealed_password", NEW."recovery_key_file",
      NEW."recovery_kept_at", NEW."erase_at", NEW."former_plan", NEW."created_at")
    OR OLD."card_digest" IS NOT NULL AND NEW."card_digest" IS NULL)
  EXECUTE FUNCTION "card_is_due"();

CREATE FUNCTION "card_of_user_is_due"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE "repositories" SET "card_due_at" = '1970-01-01 00:00:00 +00:00', "card_version" = "card_version" + 1 WHERE "user_id" = NEW."id";
  RETURN NULL;
END $$;

CREATE TRIGGER "users_card_is_due" AFTER UPDATE ON "users" FOR EACH ROW
  WHEN ((OLD."issuer", OLD."subject", OLD."username") IS DISTINCT FROM (NEW."issuer", NEW."subject", NEW."username"))
  EXECUTE FUNCTION "card_of_user_is_due"();

CREATE FUNCTION "card_of_plan_is_due"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE "repositories" SET "card_due_at" = '1970-01-01 00:00:00 +00:00', "card_version" = "card_version" + 1
  WHERE "user_id" IN (OLD."user_id", NEW."user_id");
  RETURN NULL;
END $$;

CREATE TRIGGER "plans_card_is_due" AFTER UPDATE ON "plans" FOR EACH ROW
  WHEN ((OLD."user_id", OLD."zone", OLD."window_start", OLD."window_end", OLD."retention", OLD."retention_agreed_at", OLD."created_at")
    IS DISTINCT FROM (NEW."user_id", NEW."zone", NEW."window_start", NEW."window_end", NEW."retention", NEW."retention_agreed_at", NEW."created_at"))
  EXECUTE FUNCTION "card_of_plan_is_due"();
CREATE TRIGGER "plans_come_and_go_card_is_due" AFTER INSERT OR DELETE ON "plans" FOR EACH ROW EXECUTE FUNCTION "card_of_plan_is_due"();

CREATE FUNCTION "card_of_run_is_due"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE "repositories" SET "card_due_at" = '1970-01-01 00:00:00 +00:00', "card_version" = "card_version" + 1
  FROM "plans" WHERE "plans"."id" IN (OLD."plan_id", NEW."plan_id") AND "repositories"."user_id" = "plans"."user_id";
  RETURN NULL;
END $$;

-- Of runs a card tells those alone that hold the retention.
CREATE TRIGGER "runs_card_is_due" AFTER UPDATE ON "runs" FOR EACH ROW
  WHEN ((OLD."alarm" IS NOT NULL OR NEW."alarm" IS NOT NULL)
    AND (OLD."plan_id", OLD."alarm", OLD."alarm_seen_at", OLD."night", OLD."finished_at", OLD."state", OLD."snapshot_id", OLD."held_snapshot_id")
      IS DISTINCT FROM (NEW."plan_id", NEW."alarm", NEW."alarm_seen_at", NEW."night", NEW."finished_at", NEW."state", NEW."snapshot_id", NEW."held_snapshot_id"))
  EXECUTE FUNCTION "card_of_run_is_due"();
CREATE TRIGGER "runs_come_card_is_due" AFTER INSERT ON "runs" FOR EACH ROW WHEN (NEW."alarm" IS NOT NULL) EXECUTE FUNCTION "card_of_run_is_due"();
CREATE TRIGGER "runs_go_card_is_due" AFTER DELETE ON "runs" FOR EACH ROW WHEN (OLD."alarm" IS NOT NULL) EXECUTE FUNCTION "card_of_run_is_due"();
