-- Unlogged: what is lost with a crash is counted again.
CREATE UNLOGGED TABLE "kept_figures" (
    "name" TEXT NOT NULL,
    "counted_at" TIMESTAMPTZ(3) NOT NULL,
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "value" JSONB NOT NULL,

    CONSTRAINT "kept_figures_pkey" PRIMARY KEY ("name")
);
