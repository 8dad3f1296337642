-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "gone_folders" JSONB;
