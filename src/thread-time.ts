/** For how long this thread has had something to do so far, in milliseconds, whether or not the machine gave it a processor for it. */
export function busyMsOfThread(): number {
  return performance.eventLoopUtilization().active;
}

/** For how long this thread has had a processor so far. */
export function processorMsOfThread(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/**
 * For how long this thread has had something to do without the machine giving it a processor, but for a number that stays the same: only
 * differences of two answers mean anything.
 */
export function heldUpMsOfThread(): number {
  return busyMsOfThread() - processorMsOfThread();
}
