import type { PlanWithPerson } from '../../database/nights/plan-rows.ts';
import { readSources } from '../../database/nights/runs.ts';
import { readPerson } from '../../database/people/users.ts';
import { peopleRow, planRow, type Standing } from '../../domain/marks.ts';
import { isNamedServer, namesClaim, originOf, urlOfPerson } from '../../domain/url-template.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { personSealing, planSealing } from '../../vault/row-seals.ts';

/** An address that is read and written with a person's access tokens. */
export interface OwnSource {
  readonly name: string;
  readonly url: string;
  /** Whether others have the same. */
  readonly isShared: boolean;
}

type Needs = Pick<Resources, 'keyring'> & { readonly config: Pick<Resources['config'], 'filesUrl' | 'filesOrigins'> };

/** The rows by which a plan is worked on, as marks know them. Throws `seal/broken`. */
export function standingOf({ keyring }: Pick<Needs, 'keyring'>, plan: PlanWithPerson): Standing {
  const person = personSealing(keyring).require(plan.user);
  return { rows: { [peopleRow]: person, [planRow(plan.grantId)]: planSealing(keyring).require(plan) } };
}

/**
 * The addresses of a plan for its person, with claims filled in. Throws `seal/broken` if plan or person are not as Nightkeep left them in the
 * database, and `source/foreign-origin` for a server that the settings do not name: no token is sent there.
 */
export function sourcesOf(resources: Needs, plan: PlanWithPerson): OwnSource[] {
  planSealing(resources.keyring).require(plan);
  return readSources(plan.sources).map(({ name, url }) => ownSource(resources, plan.user, { name, url }));
}

/** One address for a person. Throws as `sourcesOf` does. */
export function ownSource(
  { config, keyring }: Needs,
  user: PlanWithPerson['user'],
  { name, url: template }: { name: string; url: string },
): OwnSource {
  personSealing(keyring).require(user);
  const url = urlOfPerson(template, readPerson(user));
  if (!isNamedServer(template, config)) {
    const origin = originOf(template);
    throw new AppError(
      'source/foreign-origin',
      `The plan names files at ${origin}, and the settings do not: no access token is sent there. If the files are still there, name it in FILES_ORIGINS; if the same files are at FILES_URL now: nightkeep files move.`,
      { detail: { origin } },
    );
  }
  return { name, url, isShared: !namesClaim(template) };
}
