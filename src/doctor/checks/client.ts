import type { Introduction } from '../../oidc/inspect-client.ts';
import type { Reply } from '../../oidc/question.ts';
import { isKnown } from '../authorization.ts';
import type { Check } from '../check.ts';
import { beliefOf, isBelieved } from '../client-facts.ts';
import { type Finding, ok, unknown, warn, wrong } from '../finding.ts';
import { evidence } from '../words.ts';

const name = 'client';

/** What the provider says to each secret or key of Nightkeep. */
export const client: Check = {
  name,
  run: async ({ authorization, client: atProvider, introductions, ...rest }) => {
    const { clientId } = await atProvider();
    const { direct, signIn } = await authorization();
    return checkClient({
      clientId,
      authentication: rest.setting('authentication'),
      introductions: await introductions(),
      byPost: await rest.introductionsByPost(),
      stranger: await rest.introductionOfStranger(),
      known: isKnown(direct?.signIn ?? signIn),
    });
  },
};

export interface ClientFacts {
  clientId: string;
  authentication: string;
  /** What the provider said to each secret or key. */
  introductions: readonly Introduction[];
  /** What it said to each secret in the form, where none was taken in the header and it offers that. */
  byPost?: readonly Introduction[];
  /** What it said to a secret that is none, where it is unclear whether it believes ours. */
  stranger?: Introduction | undefined;
  /** Whether the provider knows the client where no secret is asked for; undefined where that could not be seen. */
  known?: boolean | undefined;
}

/** Each secret by itself, so that whoever rolls one sees which of them the provider takes. */
export function checkClient(facts: ClientFacts): Finding[] {
  const { introductions, byPost = [] } = facts;
  if (byPost.some(isBelieved)) return [checkPost(facts, introductions[0])];
  if (introductions.length < 2) return introductions.map((introduction) => checkOne(facts, introduction));
  const someWorks = introductions.some(isBelieved);
  return introductions.map((introduction, index) => {
    const known = someWorks || facts.known;
    const kind = facts.authentication === 'private_key_jwt' ? 'key' : 'secret';
    const finding = { ...checkOne({ ...facts, known }, introduction), name: `${name}, ${kind} ${index + 1}` };
    if (!someWorks || finding.state !== 'wrong') return finding;
    const cure = 'Take it out of the settings once every process has the other one.';
    return warn(finding.name, `${finding.finding} Nightkeep uses another one.`, cure);
  });
}

function checkPost({ clientId }: ClientFacts, inHeader: Introduction | undefined): Finding {
  return wrong(
    name,
    `The provider accepts the secret of ${clientId} in the form (client_secret_post), but not in the header (client_secret_basic)${inHeader ? ` ${evidence(inHeader.reply)}` : ''}.`,
    'Set OIDC_CLIENT_AUTH=client_secret_post, or set the client to client_secret_basic at the provider.',
  );
}

function checkOne({ clientId, authentication, known, stranger }: ClientFacts, introduction: Introduction): Finding {
  const said = evidence(introduction.reply);
  switch (beliefOf(introduction)) {
    case 'believed':
      return ok(name, `The provider accepts ${clientId} (${authentication}).`);
    case 'refused':
      return checkRefusal({ clientId, authentication, known }, introduction.reply);
    case 'refused by introspection':
      return wrong(
        name,
        `The token endpoint does not say whether it accepts ${clientId} ${said}, and introspection refuses it ${introduction.introspection ? evidence(introduction.introspection) : ''}.`,
        `${compareWith(authentication)} If they agree, allow the client to introspect its tokens.`,
      );
    case 'not allowed':
      return wrong(
        name,
        `The provider accepts ${clientId}, but does not let it refresh tokens ${said}.`,
        'Allow the grant type refresh_token for this client.',
      );
    case 'nobody is answered':
      return wrong(
        name,
        `The provider answers nobody ${said}.`,
        'Enable the realm (Keycloak: Realm settings, Enabled).',
      );
    case 'unclear':
      if (stranger !== undefined && beliefOf(stranger) === 'refused')
        return ok(
          name,
          `The provider accepts ${clientId} (${authentication}): it answers differently to another secret.`,
        );
      if (introduction.reply.status === 400)
        return unknown(
          name,
          `It cannot be seen from here whether the provider accepts ${clientId}: it answers an invalid token and a wrong secret in the same way ${said}. A sign-in shows it.`,
        );
      return wrong(
        name,
        `The token endpoint does not say whether it accepts ${clientId} ${said}.`,
        "Look at the provider's log, at what else it requires of this client, and at the proxy in front of it.",
      );
  }
}

function checkRefusal({ clientId, authentication, known }: Omit<ClientFacts, 'introductions'>, reply: Reply): Finding {
  const said = evidence(reply);
  if (authentication === 'none' && known !== false)
    return wrong(
      name,
      `The provider knows ${clientId}, but wants it to prove itself ${said}.`,
      'Set OIDC_CLIENT_AUTH and its secret or key; or make it a public client at the provider.',
    );
  const proof = authentication === 'private_key_jwt' ? 'key' : 'secret';
  const compare = compareWith(authentication);
  if (known === true || reply.body.error === 'unauthorized_client')
    return wrong(
      name,
      `The provider knows ${clientId}, but not with this ${proof} (${authentication}) ${said}.`,
      compare,
    );
  if (known === false)
    return wrong(
      name,
      `The provider does not know the client ${clientId}, or it is disabled there ${said}.`,
      'Correct OIDC_CLIENT_ID, or enable the client (Keycloak: Clients, Enabled).',
    );
  return wrong(
    name,
    `The provider does not accept ${clientId} as the client it claims to be ${said}.`,
    `Check that the client exists and is enabled. ${compare}`,
  );
}

function compareWith(authentication: string): string {
  const setting = authentication === 'private_key_jwt' ? 'OIDC_PRIVATE_KEY' : 'OIDC_CLIENT_SECRET';
  return `Compare ${setting} and OIDC_CLIENT_AUTH with the client's credentials at the provider.`;
}
