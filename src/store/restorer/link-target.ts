import { nameFromBytes } from '../../file-name.ts';
import type { SymlinkNode } from '../format/node.ts';

/** What a link points to, as file-name.ts keeps names. */
export function linkTarget({ linktarget, linktarget_raw: raw }: SymlinkNode): string {
  return raw === undefined ? linktarget : nameFromBytes(Buffer.from(raw, 'base64'));
}
