-- CreateTable
CREATE TABLE "audit" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "by" TEXT NOT NULL,
    "act" TEXT NOT NULL,
    "user_id" UUID,
    "about" TEXT,
    "reason" TEXT,

    CONSTRAINT "audit_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_user_id_id_idx" ON "audit"("user_id", "id");

-- CreateIndex
CREATE INDEX "audit_act_id_idx" ON "audit"("act", "id");

-- Rows are only ever added. One change is let through: the words about a person who has been erased go.
CREATE FUNCTION "audit_is_append_only"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW."reason" IS NULL
    AND (NEW."id", NEW."at", NEW."by", NEW."act", NEW."user_id", NEW."about")
      IS NOT DISTINCT FROM (OLD."id", OLD."at", OLD."by", OLD."act", OLD."user_id", OLD."about")
    AND NOT EXISTS (SELECT FROM "users" WHERE "users"."id" = OLD."user_id") THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'The audit is append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER "audit_rows_stay" BEFORE UPDATE OR DELETE ON "audit"
  FOR EACH ROW EXECUTE FUNCTION "audit_is_append_only"();
CREATE TRIGGER "audit_stays" BEFORE TRUNCATE ON "audit"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_is_append_only"();

-- The id of somebody who has been erased tells nobody who they were, since names stand in users alone; what was written about
-- them in free words could.
CREATE FUNCTION "audit_forgets_words"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE "audit" SET "reason" = NULL WHERE "user_id" = OLD."id" AND "reason" IS NOT NULL;
  RETURN NULL;
END $$;

CREATE TRIGGER "users_audit_forgets_words" AFTER DELETE ON "users"
  FOR EACH ROW EXECUTE FUNCTION "audit_forgets_words"();
