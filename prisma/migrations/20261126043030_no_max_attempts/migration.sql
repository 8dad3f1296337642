-- AlterTable
ALTER TABLE "runs" DROP COLUMN "max_attempts";
