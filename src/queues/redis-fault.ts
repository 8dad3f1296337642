import { connectionFault } from '../connection-fault.ts';
import { codeIn } from '../errors.ts';

/** What Redis says that it refuses, by the word with which its error begins, wherever a driver or script puts that; the cure. */
const refusals: readonly (readonly [said: RegExp, what: string, cure: string])[] = [
  [/NOAUTH|WRONGPASS|invalid password/i, 'Redis does not let Nightkeep in.', 'Correct user and password in REDIS_URL.'],
  [
    /\bNOPERM\b/,
    'Redis does not let the user of REDIS_URL do what the queue needs.',
    'Allow that user all commands, on the keys nightkeep:* (ACL SETUSER).',
  ],
  [/\bREADONLY\b/, 'Redis is a replica and accepts no writes.', 'Let REDIS_URL name the primary.'],
  [/\bOOM\b/, 'Redis has no memory left (maxmemory) and accepts no jobs.', 'Raise its maxmemory.'],
  [
    /\bMISCONF\b/,
    'Redis cannot write its data to disk, and therefore accepts no writes.',
    'Look at the disk of Redis, and at its log.',
  ],
  [/\bLOADING\b/, 'Redis is still loading its data.', 'Wait until it has.'],
  [/DB index is out of range/i, 'Redis has no database of that number.', 'Correct the number at the end of REDIS_URL.'],
];

/** Why Redis cannot be used, and the cure: it refuses, or there is no connection; undefined where the error says nothing of the kind. */
export function redisFault(error: unknown): readonly [what: string, cure: string] | undefined {
  const message = error instanceof Error ? error.message : '';
  const [, what, cure] = refusals.find(([said]) => said.test(message)) ?? [];
  if (what !== undefined && cure !== undefined) return [what, cure];
  const fault = connectionFault(codeIn(error), { at: 'REDIS_URL' });
  return fault && [`The server in REDIS_URL ${fault.what}.`, `${fault.cure}.`];
}
