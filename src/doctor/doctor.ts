import { type Clock, within } from '../clock.ts';
import type { Environment } from '../config/environment.ts';
import { asOutage } from '../database/client.ts';
import { addressesOfServers } from '../domain/database-address.ts';
import { isAppError, shortageWords } from '../errors.ts';
import { scrub } from '../log.ts';
import { type Check, together } from './check.ts';
import { boundTokens } from './checks/bound-tokens.ts';
import { circuits } from './checks/circuits.ts';
import { client } from './checks/client.ts';
import { clientType } from './checks/client-type.ts';
import { clocks } from './checks/clocks.ts';
import { consentScreen } from './checks/consent-screen.ts';
import { database } from './checks/database.ts';
import { deadlines } from './checks/deadlines.ts';
import { discovery } from './checks/discovery.ts';
import { files } from './checks/files.ts';
import { grants } from './checks/grants.ts';
import { issuers } from './checks/issuers.ts';
import { keyring } from './checks/keyring.ts';
import { mailboxes } from './checks/mailboxes.ts';
import { migrations } from './checks/migrations.ts';
import { notices } from './checks/notices.ts';
import { offlineIdle } from './checks/offline-idle.ts';
import { offlineMaximum } from './checks/offline-maximum.ts';
import { offlineScope } from './checks/offline-scope.ts';
import { offlineTokens } from './checks/offline-tokens.ts';
import { protection } from './checks/protection.ts';
import { providerWindows } from './checks/provider-windows.ts';
import { publicAddress } from './checks/public-address.ts';
import { pushedRequests } from './checks/pushed-requests.ts';
import { queue } from './checks/queue.ts';
import { repositories } from './checks/repositories.ts';
import { retention } from './checks/retention.ts';
import { rotation } from './checks/rotation.ts';
import { rowMarks } from './checks/row-marks.ts';
import { rowSeals } from './checks/row-seals.ts';
import { runs } from './checks/runs.ts';
import { settings } from './checks/settings.ts';
import { signIn } from './checks/sign-in.ts';
import { signingKeys } from './checks/signing-keys.ts';
import { spool } from './checks/spool.ts';
import { stateExports } from './checks/state-exports.ts';
import { store } from './checks/store.ts';
import { verification } from './checks/verification.ts';
import { window } from './checks/window.ts';
import { withdrawals } from './checks/withdrawals.ts';
import { type Finding, unknown, wrong } from './finding.ts';
import type { Installation } from './installation.ts';
import { openInstallation } from './open-installation.ts';
import { quoted, sentences } from './words.ts';

/** Everything that is looked at, in the order it is told. */
const checks: readonly Check[] = [
  settings,
  publicAddress,
  clocks,
  discovery,
  signingKeys,
  together('client', [client, clientType, boundTokens, signIn, offlineScope, pushedRequests, consentScreen]),
  database,
  migrations,
  queue,
  keyring,
  rowSeals,
  rowMarks,
  together('offline tokens', [offlineTokens, rotation]),
  together('offline windows', [offlineIdle, offlineMaximum, providerWindows]),
  together('grants', [grants, issuers, files, circuits, withdrawals, retention]),
  deadlines,
  runs,
  protection,
  notices,
  mailboxes,
  store,
  repositories,
  verification,
  window,
  stateExports,
  spool,
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
  await using installation = openInstallation(environment, clock);
  const found = await Promise.all(checks.map((check) => run(check, installation)));
  const secrets = secretsOf(installation);
  const told = found.flat().map((finding) => withoutSecrets(finding, secrets));
  return { ok: !told.some(({ state }) => state === 'wrong'), checks: told };
}

async function run(check: Check, installation: Installation): Promise<readonly Finding[]> {
  try {
    return [await within(installation.clock, limitMs, () => check.run(installation))].flat();
  } catch (error) {
    return [explain(check.name, error)];
  }
}

function explain(name: string, thrown: unknown): Finding {
  const elsewhere = Object.entries(reportedElsewhere).find(([code]) => isAppError(thrown) && thrown.code === code);
  if (elsewhere !== undefined) return unknown(name, `Not looked at: ${elsewhere[1]}`);
  const shortage = shortageWords(thrown);
  if (shortage !== undefined) return wrong(name, ...sentences(`It could not be checked: ${shortage}`));
  const error = asOutage(thrown);
  if (error instanceof Error && error.name === 'TimeoutError')
    return wrong(
      name,
      `It did not finish within ${limitMs / 1000} seconds.`,
      'Find out what it is waiting for, then run the doctor again.',
    );
  const words = error instanceof Error ? error.message : String(error);
  const lookThere = 'Look at the part that it names, and at its log.';
  const [finding, cure] = isAppError(error) ? sentences(words, lookThere) : [words, lookThere];
  return wrong(name, `It could not be checked: ${quoted(finding)}`, quoted(cure));
}

/** What must not be in the report even where a provider or a driver repeats it. */
function secretsOf({ survey }: Installation): string[] {
  const { provider, databaseUrl, redisUrl, keyring = '', storeKeys = [] } = survey.settings;
  const passwords = [...addressesOfServers(databaseUrl ?? ''), redisUrl].map(
    (url) => URL.parse(url ?? '')?.password ?? '',
  );
  const keys = keyring.split('\n').map((line) => line.slice(line.indexOf(':') + 1));
  const storeSecrets = storeKeys.map(({ secret }) => secret);
  const all = [...(provider.secrets ?? []), ...passwords, ...passwords.map(decoded), ...keys, ...storeSecrets];
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
