import { hostname, userInfo } from 'node:os';
import { escapedName } from '../file-name.ts';

/** Who runs this command, as events and the audit name them: `command:<user>@<machine>`. */
export function commandActor(): string {
  return `command:${escapedName(userName())}@${hostname()}`;
}

/** Containers run under numbers that no user has. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}
