-- AlterTable
ALTER TABLE "verifications" ADD COLUMN     "back_at" TIMESTAMPTZ(3),
ADD COLUMN     "gone_at" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "verifications_back" ON "verifications"("back_at") WHERE (back_at IS NOT NULL);
