-- AlterTable
ALTER TABLE "repositories" ADD COLUMN     "checkpoint" JSONB;
