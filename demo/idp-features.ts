import { html } from 'hono/html';
import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { cloudAudience } from './cloud-access.ts';
import { answerPage } from './idp-forms.ts';
import { formPage, wordPage } from './idp-pages.ts';

export interface ProviderRules {
  /** How long an access token lives, in seconds. */
  readonly accessTokenSeconds: number;
  /** Each refresh token works once; one that comes back revokes its whole grant. Otherwise it works any number of times. */
  readonly rotate: boolean;
  /** People (subjects) who may not have offline access. */
  readonly withoutOfflineRole: ReadonlySet<string>;
}

export const scopes = ['openid', 'profile', 'email', 'offline_access'] as const;

/** The parts of OpenID Connect and OAuth that the provider offers beyond the code flow, and their pages. */
export function featuresFor(rules: ProviderRules): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    revocation: { enabled: true, allowedPolicy: ownToken },
    introspection: { enabled: true, allowedPolicy: ownToken },
    backchannelLogout: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => cloudAudience,
      useGrantedResource: async () => true,
      getResourceServerInfo: async (_context, resource) => {
        if (resource !== cloudAudience) throw new errors.InvalidTarget();
        return {
          scope: scopes.join(' '),
          audience: cloudAudience,
          accessTokenTTL: rules.accessTokenSeconds,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        };
      },
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: async (context, form) =>
        answerPage(
          context,
          await formPage(
            'Sign out?',
            'You are signed in at this provider. What you allowed to go on while you are away stays allowed.',
            form,
            html`<button class="main" type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>
<button type="submit" form="op.logoutForm">Stay signed in</button>`,
          ),
        ),
      postLogoutSuccessSource: async (context) =>
        answerPage(context, await wordPage('Signed out', 'You are signed out at this provider.')),
    },
    deviceFlow: {
      enabled: true,
      userCodeInputSource: async (context, form, _out, error) =>
        answerPage(
          context,
          await formPage(
            'Connect a device',
            error ? 'That code is not known, or was used already.' : 'Type the code that your device shows.',
            form,
            html`<button class="main" type="submit" form="op.deviceInputForm">Go on</button>`,
          ),
        ),
      userCodeConfirmSource: async (context, form, client, _device, code) =>
        answerPage(
          context,
          await formPage(
            `Is it ${code}?`,
            `${client.clientName ?? client.clientId} shows this code if it is your device that asks.`,
            form,
            html`<button class="main" type="submit" form="op.deviceConfirmForm">Yes, it is</button>
<button type="submit" form="op.deviceConfirmForm" name="abort" value="yes">No</button>`,
          ),
        ),
      successSource: async (context) =>
        answerPage(context, await wordPage('Connected', 'You can go back to your device.')),
    },
  };
}

async function ownToken(
  _context: KoaContextWithOIDC,
  client: { clientId: string },
  token: { clientId?: string | undefined },
) {
  return token.clientId === client.clientId;
}
