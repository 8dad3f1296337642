-- AlterTable
ALTER TABLE "runs" ADD COLUMN     "unreliable_roots" TEXT[] DEFAULT ARRAY[]::TEXT[];

