-- AlterTable
ALTER TABLE "repositories" ADD COLUMN     "former_store" TEXT,
ADD COLUMN     "moving_to" TEXT,
ADD COLUMN     "store" TEXT;
