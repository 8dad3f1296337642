-- AlterTable
ALTER TABLE "plans" ADD COLUMN     "retention_seal" BYTEA;

-- AlterTable
ALTER TABLE "repositories" ADD COLUMN     "erase_seal" BYTEA;
