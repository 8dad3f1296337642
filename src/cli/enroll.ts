import encodeQR from 'qr';
import { type NamedSources, namedSources, type SourceName, settingOf } from '../domain/source-names.ts';
import { AppError } from '../errors.ts';
import { type Agreement, factsForAnyone, namesAgreed, writeAgreement } from '../flows/consent/agreement.ts';
import { type Enrolled, type EnrollWay, enrollPerson } from '../flows/consent/enroll-person.ts';
import type { DeviceLogin } from '../oidc/enroll.ts';
import { askSecret, askYes } from './ask.ts';
import { type Command, json, type Options, type Output, printAnswer, text } from './command.ts';
import { namesIn } from './named-sources.ts';
import { openFromEnvironment } from './open-resources.ts';
import { harmless } from './table.ts';

const options = {
  sources: { value: 'NAMES', help: 'back up these alone: files, calendars, contacts, mail (default: all that is set)' },
  yes: { help: 'agree to the terms: print them without asking' },
  ...json,
};

/** The person consents on a device of theirs: a code and a QR code lead there. */
export const enrollDevice: Command = {
  usage: '[--sources NAMES] [--yes] [--json]',
  summary: 'take consent from another device',
  options,
  run: (given, output) =>
    enroll(given, output, async () => ({ method: 'device', show: (login) => show(login, given, output) })),
};

/** Consent with user name and password; the password is asked for, or comes on standard input, and is not kept. */
export const enrollPassword: Command = {
  usage: '--user NAME [--sources NAMES] [--yes] [--json]',
  summary: 'take consent with a password',
  options: { user: { value: 'NAME', help: 'the user name at the provider' }, ...options },
  run: async (given, output) => {
    const username = text(given, 'user');
    if (username === undefined) throw new AppError('usage/invalid', 'Say whose consent it is with --user NAME.');
    return enroll(given, output, async () => {
      const password = await askSecret(`Password of ${username} at the provider: `);
      return { method: 'password', username, password };
    });
  },
};

/** The service account of Nightkeep's own client. */
export const enrollService: Command = {
  usage: '[--sources NAMES] [--yes] [--json]',
  summary: "back up the client's own service account",
  options,
  run: (given, output) => enroll(given, output, async () => ({ method: 'service' })),
};

const unconfirmed = 'Confirm with --yes that the terms are agreed to. Without --json they are printed first.';

async function enroll(given: Options, output: Output, way: () => Promise<EnrollWay>): Promise<number> {
  const { json: asJson, yes } = given;
  if (asJson === true && yes !== true) throw new AppError('usage/invalid', unconfirmed);
  await using resources = await openFromEnvironment({ begins: true });
  const terms = writeAgreement(factsForAnyone(resources.config, wantedOf(given, resources.config)));
  if (asJson !== true) for (const line of wordsOf(terms)) output.line(harmless(line));
  if (yes !== true && !(await askYes('Is that agreed? (yes/no) ', unconfirmed))) return 1;
  const enrolled = await enrollPerson(resources, await way(), terms);
  printAnswer(
    output,
    given,
    { ...shown(enrolled), sources: [...namesAgreed(terms)], terms },
    sentence(enrolled),
    hoursOf(enrolled, terms),
  );
  return 0;
}

/** What is wanted of all that the settings name. Throws `usage/invalid` for what they do not. */
function wantedOf(given: Options, config: NamedSources): SourceName[] | undefined {
  const names = namesIn(given);
  const named = namedSources(config).map(({ name }) => name);
  const missing = names?.find((name) => !named.includes(name));
  if (missing !== undefined)
    throw new AppError('usage/invalid', `--sources names ${missing}, and ${settingOf[missing]} is not set.`);
  return names;
}

function wordsOf({ sentences }: Agreement): string[] {
  const width = Math.max(...sentences.map(({ about }) => about.length));
  return ['What the person agrees to:', ...sentences.map(({ about, says }) => `  ${about.padEnd(width)}  ${says}`), ''];
}

function show(login: DeviceLogin, options: Options, output: Output): void {
  const { userCode, verificationUri, verificationUriComplete, expiresAt } = login;
  const shown = { userCode, verificationUri, verificationUriComplete, expiresAt };
  const say = `Open ${verificationUri} on another device, type the code  ${userCode}  and say yes there:`;
  printAnswer(output, options, shown, say);
  if (options.json === true) return;
  const address = verificationUriComplete ?? verificationUri;
  if (address.length <= longestInQr) for (const line of qrOf(address)) output.line(line);
  output.line(`The code is valid until ${expiresAt.toISOString()}. Waiting ...`);
}

/** More is wider than a terminal, and then than any such code. */
const longestInQr = 1_000;

/** White on black whatever the colours of the terminal are, since readers want it so. */
function qrOf(address: string): string[] {
  const lines = encodeQR(address, 'ascii').trimEnd().split('\n');
  return lines.map((line) => (process.stdout.isTTY ? `\u001b[40;97m${line}\u001b[0m` : line));
}

/** Whose plan it is shows only once they have consented: one that was there before keeps its own hours, as the terms say. */
function hoursOf({ plan }: Enrolled, { facts }: Agreement): string {
  const { windowStart: start, windowEnd: end, zone } = plan;
  const { window } = facts;
  const isOther = start !== window.start || end !== window.end || (window.surely && zone !== window.zone);
  return `Their nights are between ${start} and ${end} (${zone})${isOther ? ', as their plan has it' : ''}.`;
}

function shown({ user, grant, plan, renewed, runId }: Enrolled) {
  const { id: grantId, state, scope, idleDeadline, maxDeadline } = grant;
  const { username, subject, issuer } = user;
  return {
    user: username ?? subject,
    subject,
    issuer,
    grantId,
    state,
    scope,
    renewed,
    idleDeadline,
    maxDeadline,
    window: { start: plan.windowStart, end: plan.windowEnd, zone: plan.zone },
    runId,
  };
}

function sentence(enrolled: Enrolled): string {
  const { user, renewed, idleDeadline, runId } = shown(enrolled);
  const ends = idleDeadline.toISOString().slice(0, 10);
  return `${renewed ? 'Renewed the consent of' : 'Enrolled'} ${user}. The token is sealed and ends on ${ends} unless it is used before; run ${runId} is queued.`;
}
