-- CreateIndex
CREATE INDEX "audit_of_people" ON "audit"("at") WHERE (user_id IS NOT NULL AND act <> 'operator-signed-in');

-- Rows are only ever added. Two changes are let through: the words about a person who has been erased go; and so do, a year later at
-- the earliest, rows about people, of which there are more with each night (AUDIT_KEPT says when). Rows about the service stay.
CREATE OR REPLACE FUNCTION "audit_is_append_only"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW."reason" IS NULL
    AND (NEW."id", NEW."at", NEW."by", NEW."act", NEW."user_id", NEW."about")
      IS NOT DISTINCT FROM (OLD."id", OLD."at", OLD."by", OLD."act", OLD."user_id", OLD."about")
    AND NOT EXISTS (SELECT FROM "users" WHERE "users"."id" = OLD."user_id") THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' AND OLD."at" < now() - interval '365 days' AND OLD."user_id" IS NOT NULL AND OLD."act" <> 'operator-signed-in' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'The audit is append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
