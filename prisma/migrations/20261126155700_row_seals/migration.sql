-- AlterTable
ALTER TABLE "users" ADD COLUMN     "seal" BYTEA;

-- AlterTable
ALTER TABLE "plans" ADD COLUMN     "seal" BYTEA;
