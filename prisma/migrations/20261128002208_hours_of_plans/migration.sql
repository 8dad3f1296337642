-- AlterTable
ALTER TABLE "kept_figures" ADD COLUMN     "claimed_until" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "plans_zone_window_start_window_end_idx" ON "plans"("zone", "window_start", "window_end");
