-- CreateTable
CREATE TABLE "person_erasures" (
    "id" UUID NOT NULL,
    "user_id" UUID,
    "begun_at" TIMESTAMPTZ(3) NOT NULL,
    "removed" JSONB NOT NULL,
    "outcome" JSONB,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "person_erasures_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "person_erasures_user_id_key" ON "person_erasures"("user_id");
