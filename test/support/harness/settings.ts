import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A line of a keyring. */
export const keyLine = (id: string) => `${id}:${randomBytes(32).toString('base64url')}`;

/** The settings of a Nightkeep that keeps everything in this folder, with a keyring of one key; the client's secret is for the caller to add. */
export function settingsFor(at: {
  folder: string;
  publicUrl: URL;
  issuer: string;
  clientId: string;
  filesUrl?: string;
  keyring?: string | undefined;
}): Record<string, string> {
  return {
    PUBLIC_URL: at.publicUrl.href,
    DATA_DIR: at.folder,
    STORE_URL: pathToFileURL(join(at.folder, 'store')).href,
    OIDC_ISSUER: at.issuer,
    OIDC_CLIENT_ID: at.clientId,
    KEYRING: at.keyring ?? keyLine('one'),
    ZONE: noonZone(new Date()),
    FILES_URL: at.filesUrl ?? 'https://cloud.example/{preferred_username}/',
  };
}

/**
 * A zone where it is noon by now, whenever tests run: the next night is half a day away, so that no night finds what the
 * first run left in memory, and none begins by itself.
 */
function noonZone(at: Date): string {
  const east = 12 - at.getUTCHours();
  return east < 0 ? `Etc/GMT+${-east}` : `Etc/GMT-${east}`;
}
