-- CreateTable
CREATE TABLE "proven_questions" (
    "issuer" TEXT NOT NULL,
    "client_id" TEXT NOT NULL,
    "question" TEXT NOT NULL,
    "proven_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "proven_questions_pkey" PRIMARY KEY ("issuer","client_id","question")
);
