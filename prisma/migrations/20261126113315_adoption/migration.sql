-- AlterTable
ALTER TABLE "repositories" ADD COLUMN     "adopted_at" TIMESTAMPTZ(3),
ADD COLUMN     "card_digest" BYTEA,
ADD COLUMN     "card_key_id" TEXT,
ADD COLUMN     "former_plan" JSONB;
