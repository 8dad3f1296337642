-- AlterTable
ALTER TABLE "verifications" ADD COLUMN     "error_files" TEXT[] DEFAULT ARRAY[]::TEXT[];

