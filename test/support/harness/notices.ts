import { expect } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { inTransaction } from '../../../src/database/client.ts';
import { closeCircuit, openCircuit } from '../../../src/database/custody/circuits.ts';
import { saveKeptFigure } from '../../../src/database/records/kept-figures.ts';
import { type ChannelKind, parseChannel } from '../../../src/domain/channels.ts';
import { openPeopleCount } from '../../../src/domain/people-tally.ts';
import { dayMs, hourMs } from '../../../src/durations.ts';
import { tallyPeople } from '../../../src/flows/nights/tally-people.ts';
import { raiseAlarms, raiseNotices } from '../../../src/flows/notices/raise-notices.ts';
import { sendNotices } from '../../../src/flows/notices/send-notices.ts';
import type { Resources } from '../../../src/resources.ts';
import type { HttpSink } from '../servers/http-sink.ts';
import { type SmtpManners, startSmtp } from '../servers/smtp.ts';
import { addRepository, openPages } from './pages.ts';

export const from = 'Nightkeep <nightkeep@example.org>';
export const operatorMail = 'operators@example.org';
/** Patience costs nothing where all is well. */
export const soon = { timeout: 30_000, interval: 10 };

export type NoticesFixture = Awaited<ReturnType<typeof openNoticesFixture>>;

/** Pages with people, and the mail server and channels by which they and operators are notified. */
export async function openNoticesFixture() {
  const pages = await openPages();
  let opened = new AsyncDisposableStack();

  return {
    pages,
    /** What one test opens. */
    get opened() {
      return opened;
    },
    /** Before each test: nobody is left to notify, and nothing is left to deliver. */
    async begin() {
      opened = new AsyncDisposableStack();
      const { database } = pages.resources;
      await database.notice.deleteMany();
      await database.circuit.deleteMany();
      await database.grant.updateMany({ data: { state: 'withdrawn' } });
    },
    end: () => opened.disposeAsync(),

    withSettings,
    async openMail(manners: SmtpManners = {}) {
      const smtp = opened.use(await startSmtp(manners));
      return { smtp, resources: withSettings({ mail: { url: smtp.url, from }, operatorMail }) };
    },
    /** Settings that name such channels at the sink. */
    calling: (sink: HttpSink, ...kinds: ChannelKind[]) =>
      withSettings({
        channels: kinds.flatMap((kind) => parseChannel(`${kind}+${sink.origin}/${kind}?key=secret`) ?? []),
      }),

    /** Somebody who consented, whose address is known and whose consent has ended at the provider. */
    async somebodyRefused(email: string | null = 'alice@example.org') {
      const person = await pages.consented();
      const userId = await person.userId();
      const { database } = pages.resources;
      await database.user.update({ where: { id: userId }, data: { email } });
      await database.grant.updateMany({ where: { userId }, data: { state: 'needs_consent', reason: 'signed_out' } });
      return { person, userId };
    },
    somebodyWaiting,
    /** The same, and their repository is damaged. */
    async somebodyDamaged() {
      const { person, userId } = await somebodyWaiting();
      await addRepository(pages, person);
      const at = pages.resources.clock.now();
      const known = { since: at, nextAt: at, damageState: 'mending', foundAt: at };
      await pages.resources.database.verification.create({ data: { userId, ...known } });
      return userId;
    },

    looked,
    /** Makes the present count of people one that took long, as with very many people: it is kept for this time, and says that these wait. */
    async keepTally(resources: Resources, { reasons, for: ms }: { reasons: object; for: number }): Promise<void> {
      const { clock, database } = resources;
      let elapsed = 0;
      const elapsedOf = () => {
        elapsed += hourMs;
        return elapsed;
      };
      const { tally } = await tallyPeople({
        database,
        clock: { ...clock, elapsed: elapsedOf },
        peopleCount: openPeopleCount(),
      });
      const data = { value: { ...tally, reasons }, dueAt: new Date(clock.now().getTime() + ms) };
      const where = { name: 'people by verdict' };
      expect(await database.keptFigure.updateMany({ where, data })).toEqual({ count: 1 });
      await looked(resources);
      opened.defer(async () => void (await database.keptFigure.deleteMany()));
    },
    /** On to the next time that the clock shows this. */
    advanceTo(time: string) {
      const { clock } = pages;
      const [hours = 0, minutes = 0] = time.split(':').map(Number);
      const next = new Date(clock.now());
      next.setUTCHours(hours, minutes, 0, 0);
      return clock.advance(next.getTime() - clock.now().getTime() + (next <= clock.now() ? dayMs : 0));
    },
    [Symbol.asyncDispose]: () => pages[Symbol.asyncDispose](),
  };

  function withSettings(settings: Partial<Config>): Resources {
    return { ...pages.resources, config: { ...pages.resources.config, ...settings } };
  }

  /** Somebody whose night the operator must mend. */
  async function somebodyWaiting() {
    const person = await pages.consented();
    const userId = await person.userId();
    await pages.resources.database.run.updateMany({
      where: { plan: { userId } },
      data: { state: 'failed', errorCode: 'source/forbidden', finishedAt: pages.resources.clock.now() },
    });
    return { person, userId };
  }
}

/** What happens to the circuit of the provider. */
export function circuitOf({ clock, config, database, issuer }: Resources) {
  const client = { issuer: config.provider.issuer.href, clientId: issuer.clientId };
  return {
    open: () => openCircuit(database, { ...client, reason: 'refusals', at: clock.now() }),
    close: () =>
      inTransaction(database, (transaction) =>
        closeCircuit(transaction, { ...client, at: clock.now(), by: 'provider' }),
      ),
  };
}

/** The subjects of the mails that operators get now about alarms. */
export async function alarmsMailed(
  resources: Resources,
  { mails }: { readonly mails: readonly { text: string }[] },
): Promise<(string | undefined)[]> {
  const before = mails.length;
  await raiseAlarms(resources);
  await sendNotices(resources);
  return mails.slice(before).map(({ text }) => /^Subject: (.*)$/m.exec(text)?.[1]?.trim());
}

/** Everybody with something new to be notified of was looked at just now. */
async function looked({ clock, database }: Resources): Promise<void> {
  const at = clock.now();
  await saveKeptFigure(database, { name: 'people who were told', value: {}, countedAt: at, dueAt: at });
}

/** How many notices are new, and how many were delivered. */
export const raiseAndSend = async (resources: Resources) => [
  await raiseNotices(resources),
  await sendNotices(resources),
];
