import type { Resources } from '../../../src/resources.ts';
import { personSealing, planSealing } from '../../../src/vault/row-seals.ts';

/** Seals people and plans as they are now, of a test that wrote them itself. */
export async function sealRows({ database, keyring }: Pick<Resources, 'database' | 'keyring'>): Promise<void> {
  for (const user of await database.user.findMany())
    await database.user.update({ where: { id: user.id }, data: { seal: personSealing(keyring).seal(user) } });
  for (const plan of await database.plan.findMany())
    await database.plan.update({ where: { id: plan.id }, data: { seal: planSealing(keyring).seal(plan) } });
}
