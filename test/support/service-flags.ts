import { readFileSync } from 'node:fs';

/** What `npm start` gives Node about memory, for who runs a part of the service in a process of its own. */
export const serviceFlags: readonly string[] = JSON.parse(readFileSync('package.json', 'utf8'))
  .scripts.start.split(' ')
  .filter((word: string) => word.startsWith('--'));
