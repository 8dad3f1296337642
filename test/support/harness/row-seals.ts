import type { Resources } from '../../../src/resources.ts';
import { agreedRuleSealing, erasureSealing, personSealing, planSealing } from '../../../src/vault/row-seals.ts';

/** Seals people, plans and requests to erase as they are now, of a test that wrote them itself. */
export async function sealRows({ database, keyring }: Pick<Resources, 'database' | 'keyring'>): Promise<void> {
  for (const user of await database.user.findMany())
    await database.user.update({ where: { id: user.id }, data: { seal: personSealing(keyring).seal(user) } });
  for (const plan of await database.plan.findMany()) {
    const data = { seal: planSealing(keyring).seal(plan), retentionSeal: agreedRuleSealing(keyring).seal(plan) };
    await database.plan.update({ where: { id: plan.id }, data });
  }
  for (const repository of await database.repository.findMany()) {
    const data = { eraseSeal: erasureSealing(keyring).seal(repository) };
    await database.repository.update({ where: { id: repository.id }, data });
  }
}
