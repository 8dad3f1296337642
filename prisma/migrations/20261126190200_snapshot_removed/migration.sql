-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "snapshot_removed" BOOLEAN NOT NULL DEFAULT false;

