import { html } from 'hono/html';
import { type Configuration, errors } from 'oidc-provider';
import { cloudAudience } from '../../cloud/access.ts';
import { answerPage } from '../pages/forms.ts';
import { formPage, wordPage } from '../pages/pages.ts';

export const scopes = ['openid', 'profile', 'email', 'offline_access'] as const;

/** The parts of OpenID Connect and OAuth that oidc-provider plays beyond the code flow, and their pages. */
export function featuresFor(): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: false },
    dPoP: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => cloudAudience,
      useGrantedResource: async () => true,
      getResourceServerInfo: async (_context, resource) => {
        if (resource !== cloudAudience) throw new errors.InvalidTarget();
        return { scope: scopes.join(' '), audience: cloudAudience };
      },
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
