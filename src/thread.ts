import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
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

/**
 * What this process has compiled is not compiled again, which would take 30 MiB and half a second. Node.js names the folder of its own version
 * within the one it was given.
 */
function compileCache(): Record<string, string> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}
