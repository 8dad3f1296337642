-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "held_up_ms" INTEGER NOT NULL DEFAULT 0;

