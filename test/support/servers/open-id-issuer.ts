import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';

/** What an endpoint answers. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A request to one of the endpoints, as it came. */
export interface Asked {
  readonly endpoint: string;
  readonly form: URLSearchParams;
}

/** An OpenID provider that signs whatever a test wants, and answers as it is told. */
export interface OpenIdIssuer extends AsyncDisposable {
  readonly url: string;
  /** Members of the discovery document, on top of the usual ones; `undefined` takes one away. */
  readonly metadata: Record<string, unknown>;
  /** Requests to `token`, `device`, `revoke`, `userinfo` and `jwks`, in order. */
  readonly asked: Asked[];
  /** Answers them; `jwks` is answered by itself unless this gives an answer too. */
  answer: (asked: Asked) => Answer | undefined | Promise<Answer | undefined>;
  /** A token of its own, signed with the key it has now; headers and claims as named, and no key where that is null. */
  sign(claims: JWTPayload, header?: { alg?: string; typ?: string | undefined; kid?: string | null }): Promise<string>;
  /** Another key signs from now on, and it alone is published. */
  rollKey(): Promise<void>;
}

export async function startOpenIdIssuer(): Promise<OpenIdIssuer> {
  const asked: Asked[] = [];
  const metadata: Record<string, unknown> = {};
  const state: Pick<OpenIdIssuer, 'answer'> = { answer: () => undefined };
  let key = await newKey(1);
  const server = await listenOnLoopback(0);
  const url = server.origin;
  server.serve(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const reply = async (): Promise<Answer> => {
      const endpoint = request.url?.slice(1) ?? '';
      if (endpoint.endsWith('.well-known/openid-configuration'))
        return { status: 200, body: { ...usual(url), ...metadata } };
      const one = { endpoint, form: new URLSearchParams(Buffer.concat(chunks).toString()) };
      asked.push(one);
      const told = await state.answer(one);
      if (told !== undefined) return told;
      return endpoint === 'jwks' ? { status: 200, body: { keys: [key.published] } } : { status: 404, body: {} };
    };
    const { status, body } = await reply();
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(body));
  });
  return Object.assign(state, {
    url,
    metadata,
    asked,
    sign: (
      claims: JWTPayload,
      { alg = 'ES256', typ, kid = key.id }: { alg?: string; typ?: string; kid?: string | null } = {},
    ) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg, ...(kid !== null && { kid }), ...(typ && { typ }) })
        .sign(key.secret),
    rollKey: async () => {
      key = await newKey(Number(key.id) + 1);
    },
    [Symbol.asyncDispose]: server.down,
  });
}

async function newKey(number: number) {
  const id = String(number);
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  return { id, secret: privateKey, published: { ...(await exportJWK(publicKey)), kid: id, alg: 'ES256', use: 'sig' } };
}

const usual = (url: string) => ({
  issuer: url,
  authorization_endpoint: `${url}/authorize`,
  token_endpoint: `${url}/token`,
  device_authorization_endpoint: `${url}/device`,
  revocation_endpoint: `${url}/revoke`,
  jwks_uri: `${url}/jwks`,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['ES256'],
  authorization_response_iss_parameter_supported: true,
});
