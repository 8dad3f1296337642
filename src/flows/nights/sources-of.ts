import type { PlanWithPerson } from '../../database/nights/plan-rows.ts';
import { readSources } from '../../database/nights/plan-rows.ts';
import { readPerson } from '../../database/people/users.ts';
import { peopleRow, planRow, type Standing } from '../../domain/marks.ts';
import { isSourceName, type NamedSources, nounOf, type SourceAddress, settingOf } from '../../domain/source-names.ts';
import { isNamedServer, namesClaim, originOf, urlOfPerson } from '../../domain/url-template.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { personSealing, planSealing } from '../../vault/row-seals.ts';

/** An address that is read and written with a person's access tokens. */
export interface OwnSource {
  readonly name: string;
  readonly url: string;
  /** Whether others have the same. */
  readonly isShared: boolean;
}

/** An address of a plan that cannot be asked, and why. */
export interface RefusedSource {
  readonly name: string;
  /** As the plan has it. */
  readonly address: string;
  readonly error: AppError;
}

type Needs = Pick<Resources, 'keyring'> & { readonly config: NamedSources };

/** The rows by which a plan is worked on, as marks know them. Throws `seal/broken`. */
export function standingOf({ keyring }: Pick<Needs, 'keyring'>, plan: PlanWithPerson): Standing {
  const person = personSealing(keyring).require(plan.user);
  return { rows: { [peopleRow]: person, [planRow(plan.grantId)]: planSealing(keyring).require(plan) } };
}

/**
 * The addresses of a plan for its person, with claims filled in, and those that cannot be asked: `source/missing-claim`, and
 * `source/foreign-origin` for a server that the settings do not name, to which no token is sent. Throws the first such error where it is so of all of
 * them, and `seal/broken` if plan or person are not as Nightkeep left them in the database.
 */
export function sourcesOf(resources: Needs, plan: PlanWithPerson): (OwnSource | RefusedSource)[] {
  planSealing(resources.keyring).require(plan);
  const sources = readSources(plan.sources).map((source) => sourceOrRefusal(resources, plan.user, source));
  const [first] = sources;
  if (first !== undefined && 'error' in first && sources.every((source) => 'error' in source)) throw first.error;
  return sources;
}

function sourceOrRefusal(resources: Needs, user: PlanWithPerson['user'], source: SourceAddress) {
  try {
    return ownSource(resources, user, source);
  } catch (error) {
    if (!isAppError(error) || !error.code.startsWith('source/')) throw error;
    return { name: source.name, address: source.url, error };
  }
}

/** One address for a person. Throws `seal/broken`, `source/missing-claim` and `source/foreign-origin`. */
export function ownSource(
  { config, keyring }: Needs,
  user: PlanWithPerson['user'],
  { name, url: template }: SourceAddress,
): OwnSource {
  personSealing(keyring).require(user);
  const url = urlOfPerson(template, readPerson(user));
  if (!isNamedServer(template, config)) {
    const origin = originOf(template);
    const [what, setting] = isSourceName(name) ? [nounOf[name], settingOf[name]] : [name, settingOf.files];
    throw new AppError(
      'source/foreign-origin',
      `The plan names ${what} at ${origin}, and the settings do not: no access token is sent there. If the ${what} are still there, name it in FILES_ORIGINS; if the same ${what} are at ${setting} now: nightkeep files move.`,
      { detail: { origin } },
    );
  }
  return { name, url, isShared: !namesClaim(template) };
}
