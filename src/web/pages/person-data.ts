import { readPersonData } from '../../database/people/person-data.ts';
import { download, jsonOf } from '../export.ts';
import type { PersonVisit } from '../visit.ts';

/** Everything that the database holds about a person, without secrets, as one JSON object; moments in UTC. */
export async function personData(visit: PersonVisit): Promise<Response> {
  const {
    resources: { clock, database },
    session: { userId },
  } = visit;
  return download(visit, 'my-data.json', 'application/json', lines);

  async function* lines() {
    yield `{"madeAt":${JSON.stringify(clock.now())}`;
    for (const { name, rows } of readPersonData(database, userId)) {
      yield `,\n"${name}":`;
      yield* jsonOf(rows);
    }
    yield '}\n';
  }
}
