-- AlterTable
ALTER TABLE "repositories" ADD COLUMN     "recovery_kept_at" TIMESTAMPTZ(3);
