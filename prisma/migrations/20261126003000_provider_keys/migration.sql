-- CreateTable
CREATE TABLE "provider_keys" (
    "issuer" TEXT NOT NULL,
    "kid" TEXT NOT NULL,
    "thumbprint" TEXT NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "provider_keys_pkey" PRIMARY KEY ("issuer","kid","thumbprint")
);

