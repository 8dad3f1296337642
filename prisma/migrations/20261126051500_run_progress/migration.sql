-- Unlogged: written every two seconds while a run is being worked on, and worth nothing after a crash.
CREATE UNLOGGED TABLE "run_progress" (
    "run_id" UUID NOT NULL,
    "fence" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "step" TEXT NOT NULL,
    "counts" JSONB NOT NULL,
    "folder" TEXT,

    CONSTRAINT "run_progress_pkey" PRIMARY KEY ("run_id")
);

-- AddForeignKey
ALTER TABLE "run_progress" ADD CONSTRAINT "run_progress_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;
