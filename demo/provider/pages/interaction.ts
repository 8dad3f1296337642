import type Provider from 'oidc-provider';
import { cloudAudience } from '../../cloud/access.ts';
import { answerPage, type Context, type Middleware, readForm } from '../http.ts';
import type { BrowserStore } from '../realm/browser-store.ts';
import type { Realm, UserRow } from '../realm/realm.ts';
import { consentPage, errorPage, loginPage, signInFault } from './templates.ts';

interface Parts {
  provider: Provider;
  realm: Realm;
  store: BrowserStore;
}

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/** The pages of an authorization request: sign-in and consent. */
export function interactionPages(parts: Parts): Middleware {
  return async (context, next) => {
    if (!context.path.startsWith('/interaction/')) return next();
    const interaction = await findInteraction(parts.provider, context);
    if (!interaction) {
      return answerPage(
        context,
        await errorPage(
          'invalid_request',
          'This step of the sign-in has expired. Go back to the application and start again.',
        ),
        400,
      );
    }
    return interaction.prompt.name === 'login'
      ? login(parts, interaction, context)
      : consent(parts, interaction, context);
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

async function login({ provider, realm }: Parts, interaction: Interaction, context: Context) {
  const form = context.method === 'POST' ? await readForm(context.req) : undefined;
  const user = form && realm.userWithPassword(form.get('username'), form.get('password'));
  const ts = Math.floor(realm.now());
  if (user?.enabled) return finish(provider, context, { login: { accountId: user.subject, amr: ['pwd'], ts } });
  const text = await loginPage({
    people: realm.people(),
    action: context.path,
    asking: clientName(realm, interaction),
    hint: form?.get('username') ?? String(interaction.params.login_hint ?? ''),
    fault: form && signInFault(user),
  });
  answerPage(context, text, form ? 400 : 200);
}

async function consent(parts: Parts, interaction: Interaction, context: Context) {
  const { provider, realm } = parts;
  const user = realm.users.get(interaction.session?.accountId ?? '');
  if (!user) return answerPage(context, await errorPage('access_denied', 'You are not signed in.'), 400);
  const scopes = String(interaction.params.scope ?? 'openid').split(' ');
  const asked = realm.clients.get(String(interaction.params.client_id))?.consentRequired !== false;
  if (asked && context.method !== 'POST') {
    const client = clientName(realm, interaction);
    return answerPage(context, await consentPage({ person: user, client, scopes, action: context.path }));
  }
  const decision = asked ? (await readForm(context.req)).get('decision') : 'allow';
  if (decision !== 'allow')
    return finish(provider, context, { error: 'access_denied', error_description: 'The person declined.' });
  return finish(provider, context, { consent: { grantId: await saveConsent(parts, interaction, user, scopes) } });
}

/** Keeps one consent for each person and client, and adds to it what is asked now. */
async function saveConsent({ provider, store }: Parts, interaction: Interaction, user: UserRow, scopes: string[]) {
  const clientId = String(interaction.params.client_id);
  const known = store.findConsent(user.subject, clientId);
  const grant =
    (known && (await provider.Grant.find(known.id))) ?? new provider.Grant({ accountId: user.subject, clientId });
  grant.addOIDCScope(scopes.join(' '));
  grant.addResourceScope(cloudAudience, scopes.join(' '));
  return grant.save();
}

async function finish(provider: Provider, context: Context, result: Parameters<Provider['interactionResult']>[2]) {
  const mergeWithLastSubmission = !('login' in result) && !('error' in result);
  context.status = 303;
  context.redirect(await provider.interactionResult(context.req, context.res, result, { mergeWithLastSubmission }));
}

const clientName = (realm: Realm, interaction: Interaction) =>
  realm.clients.get(String(interaction.params.client_id))?.name ?? 'An application';
