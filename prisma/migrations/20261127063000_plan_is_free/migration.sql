-- Whether no other run of the plan is being worked on. Asked by a statement that has locked the plan, it sees what others saved before that lock
-- was had, which the statement itself does not: each query of a volatile function in PL/pgSQL sees what is saved when it begins.
CREATE FUNCTION "plan_is_free"("asked_plan" UUID, "asked_run" UUID, "asked_at" TIMESTAMPTZ) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN NOT EXISTS (SELECT FROM "runs" WHERE "plan_id" = "asked_plan" AND "id" <> "asked_run" AND "state" = 'running' AND "lease_until" >= "asked_at");
END $$;
