import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dayMs } from '../../../src/durations.ts';
import { ownOf } from '../../../src/flows/nights/own-snapshots.ts';
import { judgeSnapshots } from '../../../src/flows/retention/judge-snapshots.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { loadCards, saveCard } from '../../../src/store/repository/cards.ts';
import { newRepository, writeSnapshot } from '../../support/fixtures/repository.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { restic, resticProgram } from '../../support/servers/restic.ts';

test.skipIf(resticProgram === undefined)(
  'snapshots of a person’s own restic and those of Nightkeep live side by side, whoever forgets by a rule, and a card beside both',
  async () => {
    await using top = await temporaryFolder('beside');
    const path = join(top.path, 'repository');
    const repository = await newRepository(openLocalBackend(path), 'pw');
    const stock = { repository: path, password: 'pw', cwd: top.path };
    await saveCard(repository.backend, Buffer.from('a card'));
    const now = new Date();
    const { id, tree } = await writeSnapshot(repository, { note: Buffer.from('ours') });
    await repository.forgetSnapshot(id);
    const night = (ago: number) =>
      repository.saveSnapshot({
        time: new Date(now.getTime() - ago * dayMs).toISOString(),
        tree,
        paths: ['/files'],
        hostname: 'nightkeep',
      });
    const ours = [await night(3), await night(2), await night(1)];
    for (const text of ['one', 'two', 'three']) {
      await writeFile(join(top.path, 'own.txt'), text);
      await restic(stock, 'backup', '--host', 'laptop', 'own.txt');
    }
    const ids = async () => (await Array.fromAsync(repository.listSnapshots())).map((saved) => saved.id);
    expect(await ids()).toHaveLength(6);
    await restic(stock, 'forget', '--host', 'laptop', '--keep-last', '2', '--prune');
    const saved = await Array.fromAsync(repository.listSnapshots());
    expect(saved).toHaveLength(5);
    expect(ownOf(saved, now).map((one) => one.id)).toEqual(ours);
    const facts = { agreedAt: now, alarmAt: null, completeId: null };
    const { going, snapshots } = judgeSnapshots(saved, facts, { rule: { last: 1 }, now });
    expect(going).toEqual([ours[1], ours[0]]);
    expect(snapshots.filter(({ reasons }) => reasons.includes('foreign'))).toHaveLength(2);
    await restic(stock, 'forget', '--keep-last', '1');
    expect(await ids()).toHaveLength(2);
    expect(await ids()).toContain(ours[2]);
    expect(await restic(stock, 'check', '--read-data')).toContain('no errors were found');
    expect(await loadCards(repository.backend)).toEqual([Buffer.from('a card')]);
  },
);
