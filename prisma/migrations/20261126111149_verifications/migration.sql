-- CreateTable
CREATE TABLE "verifications" (
    "user_id" UUID NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "next_at" TIMESTAMPTZ(3) NOT NULL,
    "cursor" INTEGER NOT NULL DEFAULT 0,
    "read_at" TIMESTAMPTZ(3),
    "packs_read" INTEGER NOT NULL DEFAULT 0,
    "files_read" INTEGER NOT NULL DEFAULT 0,
    "checked_at" TIMESTAMPTZ(3),
    "verified_at" TIMESTAMPTZ(3),
    "damaged_packs" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "damage" JSONB,
    "damage_state" TEXT,
    "found_at" TIMESTAMPTZ(3),
    "cleared_at" TIMESTAMPTZ(3),
    "accepted" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "error_code" TEXT,

    CONSTRAINT "verifications_pkey" PRIMARY KEY ("user_id")
);

-- CreateIndex
CREATE INDEX "verifications_next_at_idx" ON "verifications"("next_at");

-- AddForeignKey
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Repositories that are there already become due one after the other within a day.
INSERT INTO "verifications" ("user_id", "since", "next_at")
SELECT "user_id", now(), now() + random() * interval '1 day' FROM "repositories" WHERE "erase_at" IS NULL;
