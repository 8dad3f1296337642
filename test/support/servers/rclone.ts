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

export interface RcloneRestManner {
  readonly isAppendOnly?: boolean;
  readonly credentials?: { readonly user: string; readonly password: string };
  /** Files in PEM; without them it speaks plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly port?: number;
}

/** `rclone serve restic`: the REST protocol of restic, over a folder. */
export async function startRcloneRest(root: string, manner: RcloneRestManner = {}): Promise<RunningServer> {
  if (rclone === undefined) throw new Error(`rclone is missing. Install it with: ${install}`);
  const { isAppendOnly = false, credentials, tls, port: wanted } = manner;
  return startServerProcess(
    async (port) => ({
      command: rclone,
      args: [
        ...['serve', 'restic', root, '--addr', `127.0.0.1:${port}`, '--config', '/dev/null'],
        ...(isAppendOnly ? ['--append-only'] : []),
        ...(tls ? ['--cert', tls.cert, '--key', tls.key] : []),
      ],
      ...(credentials && { env: { RCLONE_USER: credentials.user, RCLONE_PASS: credentials.password } }),
    }),
    undefined,
    { ...(wanted !== undefined && { port: wanted }) },
  );
}
