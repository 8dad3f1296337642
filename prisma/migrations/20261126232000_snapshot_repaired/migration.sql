-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "snapshot_repaired_at" TIMESTAMPTZ(3);
