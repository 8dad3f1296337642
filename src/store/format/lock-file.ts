import type { MasterKey } from './envelope.ts';
import type { LockId } from './ids.ts';
import { asCount, asText, optional } from './json-shape.ts';
import { openSealedFile, type SealedFile, sealFile } from './unpacked-file.ts';

/** Who holds the repository, since when (RFC 3339; rewritten at each refresh), and whether alone. */
export interface Lock {
  readonly time: string;
  readonly exclusive: boolean;
  readonly hostname: string;
  readonly username: string;
  readonly pid: number;
}

/** The lock as a file. */
export function sealLock(key: MasterKey, { time, exclusive, hostname, username, pid }: Lock): SealedFile<LockId> {
  return sealFile<LockId>(key, { time, exclusive, hostname, username, pid });
}

/** The lock in this file. Throws `repository/damaged`. */
export function openLock(key: MasterKey, id: LockId, bytes: Uint8Array): Lock {
  return openSealedFile(key, { id, bytes, what: 'lock' }, (json) => ({
    time: asText(json.time, 'lock'),
    exclusive: json.exclusive === true,
    hostname: optional(json.hostname, asText, 'lock') ?? '',
    username: optional(json.username, asText, 'lock') ?? '',
    pid: optional(json.pid, asCount, 'lock') ?? 0,
  }));
}
