-- AlterTable
ALTER TABLE "restores" ADD COLUMN     "error_code" TEXT;
