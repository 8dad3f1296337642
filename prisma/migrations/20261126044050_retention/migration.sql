-- AlterTable
ALTER TABLE "plans" ADD COLUMN     "retention_agreed_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "snapshot_forgotten_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "repositories" ADD COLUMN     "pruned_at" TIMESTAMPTZ(3),
ADD COLUMN     "retained_at" TIMESTAMPTZ(3),
ADD COLUMN     "retention_hold" TEXT;
