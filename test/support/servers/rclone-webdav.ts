import { requireProgram } from './programs.ts';
import { type RunningServer, startServerProcess } from './server-process.ts';

const install = 'apt-get install rclone';

/** Undefined (after a loud word) where rclone is missing. */
export const rclone = requireProgram('rclone', install);

/** `rclone serve webdav`: the WebDAV library of Go; ETags of nanosecond mtimes and the size. */
export async function startRcloneWebdav({ root }: { root: string }): Promise<RunningServer> {
  if (rclone === undefined) throw new Error(`rclone is missing. Install it with: ${install}`);
  return startServerProcess(async (port) => ({
    command: rclone,
    args: [
      'serve',
      'webdav',
      root,
      '--addr',
      `127.0.0.1:${port}`,
      '--read-only',
      '--config',
      '/dev/null',
      '--dir-cache-time',
      '0s',
    ],
  }));
}
