-- AlterTable
ALTER TABLE "repositories" ADD COLUMN     "unpruned_reason" TEXT,
ADD COLUMN     "unpruned_since" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "repositories_unpruned" ON "repositories"("unpruned_since") WHERE (unpruned_since IS NOT NULL);
