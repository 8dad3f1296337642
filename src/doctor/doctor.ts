import { type Clock, within } from '../clock.ts';
import type { Environment } from '../config/environment.ts';
import { isAppError } from '../errors.ts';
import { scrub } from '../log.ts';
import { type Finding, unknown, wrong } from './finding.ts';
import { lookAtClient } from './look-at-client.ts';
import {
  lookAtDeadlines,
  lookAtGrants,
  lookAtKeyring,
  lookAtRuns,
  lookAtTokens,
  lookAtWindows,
} from './look-at-custody.ts';
import {
  lookAtClocks,
  lookAtDatabase,
  lookAtDiscovery,
  lookAtMigrations,
  lookAtPublicAddress,
  lookAtQueue,
  lookAtRepositories,
  lookAtSettings,
  lookAtSigningKeys,
  lookAtSpool,
  lookAtStore,
} from './look-at-house.ts';
import { openPatient, type Patient } from './patient.ts';
import { quoted } from './words.ts';

interface Check {
  name: string;
  /** Gathers facts and judges them; rejects where a part that another check reports on cannot be had. */
  look: (patient: Patient) => Promise<Finding | readonly Finding[]>;
}

/** Everything that is looked at, in the order it is told. */
const checks: readonly Check[] = [
  { name: 'settings', look: lookAtSettings },
  { name: 'public address', look: lookAtPublicAddress },
  { name: 'clocks', look: lookAtClocks },
  { name: 'discovery', look: lookAtDiscovery },
  { name: 'signing keys', look: lookAtSigningKeys },
  { name: 'client', look: lookAtClient },
  { name: 'database', look: lookAtDatabase },
  { name: 'migrations', look: lookAtMigrations },
  { name: 'queue', look: lookAtQueue },
  { name: 'keyring', look: lookAtKeyring },
  { name: 'offline tokens', look: lookAtTokens },
  { name: 'offline windows', look: lookAtWindows },
  { name: 'grants', look: lookAtGrants },
  { name: 'deadlines', look: lookAtDeadlines },
  { name: 'runs', look: lookAtRuns },
  { name: 'store', look: lookAtStore },
  { name: 'repositories', look: lookAtRepositories },
  { name: 'spool', look: lookAtSpool },
];

export interface Report {
  /** Nothing is wrong; there may be warnings, and things that could not be seen. */
  ok: boolean;
  checks: Finding[];
}

const limitMs = 25_000;

/** Faults of parts that a check of their own reports. */
const reportedElsewhere = {
  'config/invalid': 'the settings for it are wrong.',
  'keyring/invalid': 'the keyring cannot be used.',
  'database/unavailable': 'the database is not there.',
  'database/not-migrated': 'the database lacks migrations.',
  'provider/unavailable': 'discovery failed.',
} as const;

/**
 * Looks at everything that Nightkeep stands on, each by itself and for half a minute at most, whatever state the others
 * are in. Nothing lasting is written, no token of a person is sent anywhere, and no secret is in the report.
 */
export async function examine(environment: Environment, clock: Clock): Promise<Report> {
  await using patient = openPatient(environment, clock);
  const looks = await Promise.all(checks.map((check) => look(patient, check)));
  const secrets = secretsOf(patient);
  const found = looks.flat().map((finding) => withoutSecrets(finding, secrets));
  return { ok: !found.some(({ state }) => state === 'wrong'), checks: found };
}

async function look(patient: Patient, check: Check): Promise<readonly Finding[]> {
  try {
    return [await within(patient.clock, limitMs, () => check.look(patient))].flat();
  } catch (error) {
    return [explain(check.name, error)];
  }
}

function explain(name: string, error: unknown): Finding {
  const elsewhere = Object.entries(reportedElsewhere).find(([code]) => isAppError(error) && error.code === code);
  if (elsewhere !== undefined) return unknown(name, `Not looked at: ${elsewhere[1]}`);
  if (error instanceof Error && error.name === 'TimeoutError')
    return wrong(name, `No end within ${limitMs / 1000} seconds.`, 'Look what keeps it waiting, then look again.');
  const words = error instanceof Error ? error.message : String(error);
  return wrong(name, `It could not be looked at: ${quoted(words)}`, 'Look at the part that it names, and at its log.');
}

/** What must not be in the report even where a provider or a driver repeats it. */
function secretsOf({ survey }: Patient): string[] {
  const { provider, databaseUrl, redisUrl, keyring = '' } = survey.settings;
  const passwords = [databaseUrl, redisUrl].map((url) => URL.parse(url ?? '')?.password ?? '');
  const keys = keyring.split('\n').map((line) => line.slice(line.indexOf(':') + 1));
  const all = [...(provider.secrets ?? []), ...passwords, ...passwords.map(decoded), ...keys];
  return all.map((secret) => secret.trim()).filter((secret) => secret.length >= leastSecret);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A shorter one is a word that could stand anywhere. */
const leastSecret = 8;

function withoutSecrets({ finding, cure, ...rest }: Finding, secrets: readonly string[]): Finding {
  const hide = (text: string) =>
    String(scrub(secrets.reduce((left, secret) => left.replaceAll(secret, '[hidden]'), text)));
  return { ...rest, finding: hide(finding), ...(cure !== undefined && { cure: hide(cure) }) };
}
