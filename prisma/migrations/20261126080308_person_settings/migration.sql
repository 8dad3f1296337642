-- AlterTable
ALTER TABLE "users" ADD COLUMN     "muted_mails" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "plans" ADD COLUMN     "paused_until" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "plans_paused_until_idx" ON "plans"("paused_until");
