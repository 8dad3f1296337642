import { minuteWords } from '../count-words.ts';
import { type AuditView, listAudit } from '../database/audit.ts';
import { actorKinds, acts } from '../domain/audit.ts';
import { type Command, json, limit, limitOf, oneOf, printTable, shownOf, sinceOf, text } from './command.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { getUserByName } from './people.ts';
import type { Column } from './table.ts';

/** Lists who did what, on whom and why, newest first. */
export const auditCommand: Command = {
  usage: '[--user NAME] [--by KIND] [--act ACT] [--since 14d] [--limit N] [--json]',
  summary: 'list who did what, to whom, when and why',
  options: {
    user: { value: 'NAME', help: 'only what this person did, or what was done to them: a user name, subject or id' },
    by: { value: 'KIND', help: `only what was done by one of these: ${actorKinds.join(', ')}` },
    act: { value: 'ACT', help: `only this act, such as ${acts[2]}` },
    since: { value: '14d', help: 'only the last days or hours (12h)' },
    ...limit,
    ...json,
  },
  run: async (options, output) => {
    const [kind, act, most] = [oneOf(options, 'by', actorKinds), oneOf(options, 'act', acts), limitOf(options)];
    await using resources = await openRepositoriesFromEnvironment();
    const { clock, database } = resources;
    const since = sinceOf(options, clock.now());
    const name = text(options, 'user');
    const userId = name === undefined ? undefined : (await getUserByName(resources, name, 'looking')).id;
    const found = await listAudit(database, { filter: { kind, act, userId, since }, limit: most + 1 });
    printTable(output, options, { rows: shownOf(found, most), columns, none: 'None.' });
    return 0;
  },
};

const columns: readonly Column<AuditView>[] = [
  { name: 'WHEN', of: ({ at }) => minuteWords(at) },
  { name: 'BY', of: ({ by }) => [by.kind, by.name ?? by.id].filter((word) => word !== null).join(' ') },
  { name: 'ACT', of: ({ act }) => act },
  { name: 'ON', of: ({ user }) => (user === null ? '' : (user.name ?? user.id)) },
  { name: 'ABOUT', of: ({ about }) => about ?? '', stretches: true },
  { name: 'WHY', of: ({ reason }) => reason ?? '', stretches: true },
];
