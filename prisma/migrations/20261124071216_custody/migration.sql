-- AlterEnum
ALTER TYPE "generation_state" ADD VALUE 'replaced';

-- DropIndex
DROP INDEX "grants_state_next_exchange_at_idx";

-- AlterTable
ALTER TABLE "consents" ADD COLUMN     "method" TEXT NOT NULL DEFAULT 'browser';

-- AlterTable
ALTER TABLE "grants" ADD COLUMN     "dpop_key_id" TEXT,
ADD COLUMN     "idle_seconds" INTEGER,
ADD COLUMN     "sealed_dpop_key" BYTEA,
ADD COLUMN     "warned_days" INTEGER,
ALTER COLUMN "next_exchange_at" DROP NOT NULL;

-- AlterTable
ALTER TABLE "token_generations" ADD COLUMN     "ends_at" TIMESTAMPTZ(3),
ADD COLUMN     "sid" TEXT;

-- AlterTable
ALTER TABLE "exchanges" ADD COLUMN     "hint" TEXT;

-- AlterTable
ALTER TABLE "repositories" ADD COLUMN     "erase_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "circuits" (
    "issuer" TEXT NOT NULL,
    "client_id" TEXT NOT NULL,
    "open" BOOLEAN NOT NULL,
    "reason" TEXT NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,
    "next_probe_at" TIMESTAMPTZ(3) NOT NULL,
    "closed_at" TIMESTAMPTZ(3),
    "trusted_until" TIMESTAMPTZ(3),

    CONSTRAINT "circuits_pkey" PRIMARY KEY ("issuer","client_id")
);

-- CreateTable
CREATE TABLE "logout_tokens" (
    "issuer" TEXT NOT NULL,
    "jti" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "logout_tokens_pkey" PRIMARY KEY ("issuer","jti")
);

-- CreateTable
CREATE TABLE "ended_sessions" (
    "issuer" TEXT NOT NULL,
    "session" TEXT NOT NULL,
    "ended_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ended_sessions_pkey" PRIMARY KEY ("issuer","session")
);

-- CreateIndex
CREATE INDEX "logout_tokens_expires_at_idx" ON "logout_tokens"("expires_at");

-- CreateIndex
CREATE INDEX "ended_sessions_expires_at_idx" ON "ended_sessions"("expires_at");

-- CreateIndex
CREATE INDEX "grants_next_exchange_at_idx" ON "grants"("next_exchange_at");

-- CreateIndex
CREATE INDEX "grants_issuer_sid_idx" ON "grants"("issuer", "sid");

-- CreateIndex
CREATE INDEX "token_generations_key_id_idx" ON "token_generations"("key_id");

-- CreateIndex
CREATE INDEX "exchanges_started_at_idx" ON "exchanges"("started_at");

-- CreateIndex
CREATE INDEX "repositories_erase_at_idx" ON "repositories"("erase_at");
