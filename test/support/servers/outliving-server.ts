import { spawn } from 'node:child_process';

/** Stops the PostgreSQL whose data is in "$0/data", unless that has happened, and removes the folder. */
const cleanUp = `
  cat
  server=$(head -n 1 "$0/data/postmaster.pid") && kill -QUIT "$server" && while kill -0 "$server"; do sleep 0.1; done
  rm -rf "$0"`;

/**
 * PostgreSQL has a session of its own, and goes on where this process is killed without a word. A shell that outlives us
 * waits until our end of its standard input is closed, which the system does however we end, and cleans up then.
 */
export function cleanUpAfterUs(folder: string): void {
  const child = spawn('sh', ['-c', cleanUp, folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  child.on('error', () => undefined); // There is no shell on Windows.
  child.unref();
  Object(child.stdin).unref?.();
}
