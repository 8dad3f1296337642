-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "grant_state" AS ENUM ('active', 'suspect', 'needs_consent', 'withdrawn');

-- CreateEnum
CREATE TYPE "generation_state" AS ENUM ('current', 'pending', 'superseded', 'dead');

-- CreateEnum
CREATE TYPE "run_state" AS ENUM ('queued', 'running', 'succeeded', 'partial', 'failed', 'skipped', 'cancelled');

-- CreateTable
CREATE TABLE "users" (
    "id" UUID NOT NULL,
    "issuer" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "username" TEXT,
    "name" TEXT,
    "email" TEXT,
    "claims" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "last_signed_in_at" TIMESTAMPTZ(3),

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "consents" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "grant_id" UUID NOT NULL,
    "agreed_at" TIMESTAMPTZ(3) NOT NULL,
    "scope" TEXT NOT NULL,
    "terms" JSONB NOT NULL,

    CONSTRAINT "consents_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "grants" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "issuer" TEXT NOT NULL,
    "client_id" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "sid" TEXT,
    "scope" TEXT NOT NULL,
    "state" "grant_state" NOT NULL DEFAULT 'active',
    "reason" TEXT,
    "generation" INTEGER NOT NULL DEFAULT 1,
    "fence" INTEGER NOT NULL DEFAULT 0,
    "lease_holder" TEXT,
    "lease_until" TIMESTAMPTZ(3),
    "last_exchanged_at" TIMESTAMPTZ(3) NOT NULL,
    "idle_deadline" TIMESTAMPTZ(3) NOT NULL,
    "max_deadline" TIMESTAMPTZ(3),
    "next_exchange_at" TIMESTAMPTZ(3) NOT NULL,
    "suspect_since" TIMESTAMPTZ(3),
    "refusals" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "grants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "token_generations" (
    "grant_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "state" "generation_state" NOT NULL,
    "sealed" BYTEA,
    "key_id" TEXT NOT NULL,
    "fingerprint" BYTEA NOT NULL,
    "parent" INTEGER,
    "fence" INTEGER NOT NULL,
    "issued_at" TIMESTAMPTZ(3),
    "received_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "token_generations_pkey" PRIMARY KEY ("grant_id","number")
);

-- CreateTable
CREATE TABLE "exchanges" (
    "id" UUID NOT NULL,
    "grant_id" UUID NOT NULL,
    "generation" INTEGER NOT NULL,
    "fence" INTEGER NOT NULL,
    "holder" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "run_id" UUID,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "answered_at" TIMESTAMPTZ(3),
    "verdict" TEXT,
    "status" INTEGER,
    "error_code" TEXT,
    "received" INTEGER,

    CONSTRAINT "exchanges_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "plans" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "grant_id" UUID NOT NULL,
    "sources" JSONB NOT NULL,
    "zone" TEXT NOT NULL,
    "window_start" TEXT NOT NULL,
    "window_end" TEXT NOT NULL,
    "retention" JSONB NOT NULL,
    "paused" BOOLEAN NOT NULL DEFAULT false,
    "next_night" TEXT NOT NULL,
    "next_due_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "plans_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "runs" (
    "id" UUID NOT NULL,
    "plan_id" UUID NOT NULL,
    "night" TEXT NOT NULL,
    "slot" TEXT NOT NULL DEFAULT 'night',
    "trigger" TEXT NOT NULL,
    "state" "run_state" NOT NULL DEFAULT 'queued',
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "max_attempts" INTEGER NOT NULL DEFAULT 3,
    "fence" INTEGER NOT NULL DEFAULT 0,
    "lease_holder" TEXT,
    "lease_until" TIMESTAMPTZ(3),
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "queued_at" TIMESTAMPTZ(3) NOT NULL,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "snapshot_id" TEXT,
    "counts" JSONB,
    "problems" JSONB,
    "problem_count" INTEGER NOT NULL DEFAULT 0,
    "error_code" TEXT,
    "message" TEXT,

    CONSTRAINT "runs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "repositories" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "location" TEXT NOT NULL,
    "sealed_password" BYTEA NOT NULL,
    "key_id" TEXT NOT NULL,
    "sealed_recovery_key" BYTEA,
    "recovery_key_file" TEXT,
    "recovery_seen_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "repositories_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "events" (
    "id" BIGSERIAL NOT NULL,
    "subject_kind" TEXT NOT NULL,
    "subject_id" TEXT NOT NULL,
    "from" TEXT,
    "to" TEXT NOT NULL,
    "reason" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "by" TEXT NOT NULL,

    CONSTRAINT "events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "canaries" (
    "key_id" TEXT NOT NULL,
    "sealed" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "canaries_pkey" PRIMARY KEY ("key_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "users_issuer_subject_key" ON "users"("issuer", "subject");

-- CreateIndex
CREATE INDEX "consents_user_id_idx" ON "consents"("user_id");

-- CreateIndex
CREATE INDEX "consents_grant_id_idx" ON "consents"("grant_id");

-- CreateIndex
CREATE INDEX "grants_state_next_exchange_at_idx" ON "grants"("state", "next_exchange_at");

-- CreateIndex
CREATE UNIQUE INDEX "grants_user_id_issuer_client_id_key" ON "grants"("user_id", "issuer", "client_id");

-- CreateIndex
CREATE INDEX "exchanges_grant_id_started_at_idx" ON "exchanges"("grant_id", "started_at");

-- CreateIndex
CREATE UNIQUE INDEX "plans_grant_id_key" ON "plans"("grant_id");

-- CreateIndex
CREATE INDEX "plans_paused_next_due_at_idx" ON "plans"("paused", "next_due_at");

-- CreateIndex
CREATE INDEX "plans_user_id_idx" ON "plans"("user_id");

-- CreateIndex
CREATE INDEX "runs_state_due_at_idx" ON "runs"("state", "due_at");

-- CreateIndex
CREATE INDEX "runs_plan_id_queued_at_idx" ON "runs"("plan_id", "queued_at");

-- CreateIndex
CREATE UNIQUE INDEX "runs_plan_id_night_slot_key" ON "runs"("plan_id", "night", "slot");

-- CreateIndex
CREATE UNIQUE INDEX "repositories_user_id_key" ON "repositories"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "repositories_location_key" ON "repositories"("location");

-- CreateIndex
CREATE INDEX "events_subject_kind_subject_id_id_idx" ON "events"("subject_kind", "subject_id", "id");

-- AddForeignKey
ALTER TABLE "consents" ADD CONSTRAINT "consents_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "consents" ADD CONSTRAINT "consents_grant_id_fkey" FOREIGN KEY ("grant_id") REFERENCES "grants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "token_generations" ADD CONSTRAINT "token_generations_grant_id_fkey" FOREIGN KEY ("grant_id") REFERENCES "grants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "exchanges" ADD CONSTRAINT "exchanges_grant_id_fkey" FOREIGN KEY ("grant_id") REFERENCES "grants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "plans" ADD CONSTRAINT "plans_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "plans" ADD CONSTRAINT "plans_grant_id_fkey" FOREIGN KEY ("grant_id") REFERENCES "grants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "runs" ADD CONSTRAINT "runs_plan_id_fkey" FOREIGN KEY ("plan_id") REFERENCES "plans"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "repositories" ADD CONSTRAINT "repositories_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
