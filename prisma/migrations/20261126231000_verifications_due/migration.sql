-- Who is to be verified is found by when it is due, so each repository with a snapshot has a row that says when.
INSERT INTO "verifications" ("user_id", "since", "next_at")
SELECT "user_id", now(), now() FROM "repositories" WHERE "erase_at" IS NULL AND EXISTS (
  SELECT FROM "plans" JOIN "runs" ON "runs"."plan_id" = "plans"."id"
  WHERE "plans"."user_id" = "repositories"."user_id" AND "runs"."snapshot_id" IS NOT NULL)
ON CONFLICT DO NOTHING;

-- Whoever puts the first snapshot of a person on record, an older version among them.
CREATE FUNCTION "snapshot_is_to_be_verified"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "verifications" ("user_id", "since", "next_at")
  SELECT "user_id", coalesce(NEW."finished_at", NEW."queued_at"), coalesce(NEW."finished_at", NEW."queued_at") FROM "plans" WHERE "id" = NEW."plan_id"
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE TRIGGER "runs_come_to_be_verified" AFTER INSERT ON "runs" FOR EACH ROW WHEN (NEW."snapshot_id" IS NOT NULL) EXECUTE FUNCTION "snapshot_is_to_be_verified"();
CREATE TRIGGER "runs_to_be_verified" AFTER UPDATE ON "runs" FOR EACH ROW
  WHEN (NEW."snapshot_id" IS NOT NULL AND OLD."snapshot_id" IS DISTINCT FROM NEW."snapshot_id") EXECUTE FUNCTION "snapshot_is_to_be_verified"();
