import { listCircuits } from '../../database/custody/circuits.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, wrong } from '../finding.ts';

const name = 'circuits';

export const circuits: Check = {
  name,
  run: async ({ records }) => checkCircuits(await listCircuits(await records())),
};

/** Trouble with the provider or with the client there, during which no requests are sent. */
export function checkCircuits(
  known: readonly { issuer: string; open: boolean; reason: string; openedAt: Date }[],
): Finding {
  const open = known.filter((circuit) => circuit.open);
  if (open.length === 0) return ok(name, 'None is open: every provider is used as usual.');
  const words = open.map(({ issuer, reason, openedAt }) => `${issuer} (${reason}, since ${openedAt.toISOString()})`);
  return wrong(
    name,
    `Only one exchange a minute is tried at ${words.join(', ')}.`,
    open.some(({ reason }) => reason === 'refusals')
      ? 'Many consents were refused at once: find out what happened at the provider (some answer a wrong secret in the same way). If they really have ended: nightkeep circuits --trust ISSUER'
      : 'Correct what the line about the client says; the circuit closes with the next successful exchange, sign-in or consent.',
  );
}
