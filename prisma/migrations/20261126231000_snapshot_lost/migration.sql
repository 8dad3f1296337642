-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "snapshot_lost" BOOLEAN NOT NULL DEFAULT false;
