-- People are found by a part of a name without looking at all names. The module comes with PostgreSQL, though not with every installation of it,
-- and a role may lack the right to add it: then they are found as before, by looking at all.
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX "users_username_parts" ON "users" USING gin ("username" gin_trgm_ops);
  CREATE INDEX "users_name_parts" ON "users" USING gin ("name" gin_trgm_ops);
  CREATE INDEX "users_subject_parts" ON "users" USING gin ("subject" gin_trgm_ops);
EXCEPTION WHEN undefined_file OR feature_not_supported OR insufficient_privilege OR undefined_object THEN
  RAISE NOTICE 'People are searched without an index: %', SQLERRM;
END $$;
