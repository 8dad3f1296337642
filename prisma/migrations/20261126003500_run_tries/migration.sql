-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "lost_workers" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "tried_until" TIMESTAMPTZ(3) NOT NULL DEFAULT (now() + '08:00:00'::interval);
