import type Provider from 'oidc-provider';
import { cloudAudience } from './cloud-access.ts';
import { answerPage, type Context, type Middleware, personOfForm, readForm } from './idp-forms.ts';
import { consentPage, errorPage, loginPage } from './idp-pages.ts';
import type { Person } from './people.ts';

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/** The two questions that an authorization request can ask a person: who are you, and do you allow this? */
export function interactionPages(provider: Provider, people: readonly Person[]): Middleware {
  return async (context, next) => {
    if (!context.path.startsWith('/interaction/')) return next();
    const interaction = await findInteraction(provider, context);
    if (!interaction) {
      return answerPage(
        context,
        await errorPage('invalid_request', 'This step has expired. Start again where you came from.'),
        400,
      );
    }
    if (interaction.prompt.name === 'login') return login(provider, people, interaction, context);
    return consent(provider, people, interaction, context);
  };
}

async function findInteraction(provider: Provider, context: Context): Promise<Interaction | undefined> {
  try {
    return await provider.interactionDetails(context.req, context.res);
  } catch (error) {
    if (error instanceof Error && error.name === 'SessionNotFound') return undefined;
    throw error;
  }
}

async function login(provider: Provider, people: readonly Person[], interaction: Interaction, context: Context) {
  const form = context.method === 'POST' ? await readForm(context.req) : undefined;
  const person = form && personOfForm(people, form);
  if (person) return finish(provider, context, { login: { accountId: person.subject, amr: ['pwd'] } });
  const text = await loginPage({
    people,
    action: context.path,
    asking: await clientName(provider, interaction),
    hint: form?.get('username') ?? String(interaction.params.login_hint ?? ''),
    failed: form !== undefined,
  });
  answerPage(context, text, form ? 400 : 200);
}

async function consent(provider: Provider, people: readonly Person[], interaction: Interaction, context: Context) {
  const subject = interaction.session?.accountId;
  const person = people.find((candidate) => candidate.subject === subject);
  if (!person) return answerPage(context, await errorPage('access_denied', 'You are not signed in.'), 400);
  const scopes = String(interaction.params.scope ?? 'openid').split(' ');
  if (context.method !== 'POST') {
    const client = await clientName(provider, interaction);
    return answerPage(context, await consentPage({ person, client, scopes, action: context.path }));
  }
  const decision = (await readForm(context.req)).get('decision');
  if (decision !== 'allow') {
    return finish(provider, context, { error: 'access_denied', error_description: 'The person said no.' });
  }
  return finish(provider, context, { consent: { grantId: await saveGrant(provider, interaction, person, scopes) } });
}

/** A person who is asked again by the same client in the same session keeps one grant, as on Keycloak. */
async function saveGrant(provider: Provider, interaction: Interaction, person: Person, scopes: string[]) {
  const known = interaction.grantId === undefined ? undefined : await provider.Grant.find(interaction.grantId);
  const grant =
    known ?? new provider.Grant({ accountId: person.subject, clientId: String(interaction.params.client_id) });
  grant.addOIDCScope(scopes.join(' '));
  grant.addResourceScope(cloudAudience, scopes.join(' '));
  return grant.save();
}

async function finish(provider: Provider, context: Context, result: Parameters<Provider['interactionResult']>[2]) {
  const mergeWithLastSubmission = !('login' in result) && !('error' in result);
  context.status = 303;
  context.redirect(await provider.interactionResult(context.req, context.res, result, { mergeWithLastSubmission }));
}

async function clientName(provider: Provider, interaction: Interaction): Promise<string> {
  const client = await provider.Client.find(String(interaction.params.client_id));
  return client?.clientName ?? 'An application';
}
