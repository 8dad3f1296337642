import { getCompileCacheDir } from 'node:module';
import { Worker } from 'node:worker_threads';

/**
 * Work on blobs leaves short-lived buffers behind, whose memory is freed only when the small objects that own them are collected.
 * A small young generation is collected often, which costs less time than the large collections that the buffers would cause.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

/** Starts the thread whose body is this module, with this `workerData`. It gets no settings. */
export function startThread(body: URL, workerData: unknown): Worker {
  return new Worker(body, { workerData, resourceLimits, env: compileCache() });
}

/** What this process has compiled is not compiled again, which would take 30 MiB and half a second. */
function compileCache(): Record<string, string> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}
