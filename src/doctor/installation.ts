import type { Clock } from '../clock.ts';
import type { Config, Survey } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import type { Database } from '../database/client.ts';
import type { WindowFacts } from '../database/custody/inspect-custody.ts';
import type { ProviderProfile } from '../domain/providers/profile.ts';
import type { ClientAtProvider, Credential, Introduction } from '../oidc/inspect-client.ts';
import type { Published } from '../oidc/inspect-provider.ts';
import type { Asked } from '../oidc/trial-authorization.ts';
import type { Backend } from '../store/backend/backend.ts';
import type { Keyring } from '../vault/keyring.ts';

/** Every setting by name, those of the provider among them; wrong and absent ones are undefined. */
export type Settings = Survey['settings'] & Partial<Config['provider']>;

/**
 * An installation of Nightkeep, in whatever state it is. Each part is opened when it is first asked for, by itself, and
 * once; one that cannot be had rejects with an AppError, which another check reports.
 */
export interface Installation extends AsyncDisposable {
  readonly clock: Clock;
  readonly environment: Environment;
  readonly survey: Survey;
  /** Throws `config/invalid` where the setting is wrong. */
  setting<Key extends keyof Settings>(key: Key): NonNullable<Settings[Key]>;
  /** The same for one that may be absent. */
  option<Key extends keyof Settings>(key: Key): Settings[Key];
  published(): Promise<Published>;
  /** Rejects with `provider/unavailable` where discovery failed. */
  client(): Promise<ClientAtProvider>;
  /** What the provider said to each secret or key, in the order of the settings. */
  introductions(): Promise<readonly Introduction[]>;
  /** The same for each secret in the form, where the provider offers that and believes none in the header; else none. */
  introductionsByPost(): Promise<readonly Introduction[]>;
  /** What it said to a secret that is none, where it is unclear whether it believes ours. */
  introductionOfStranger(): Promise<Introduction | undefined>;
  /** What is known of the make of provider. */
  profile(): Promise<ProviderProfile>;
  /** The first secret or key that the provider believes. */
  believed(): Promise<Credential | undefined>;
  authorization(): Promise<AuthorizationFacts>;
  keyring(): Keyring;
  /** Rejects with `database/unavailable`; it may lack migrations. */
  database(): Promise<Database>;
  /** Rejects with `database/not-migrated` too. */
  records(): Promise<Database>;
  /** As in Resources; a store that is away is asked twice, and no longer. */
  store(location: string, at: string | null): Backend;
  tokens(): Promise<TokenFacts>;
  windows(): Promise<WindowFacts>;
}

/** What came of authorization requests that nobody goes on with. */
export interface AuthorizationFacts {
  redirectUri: string;
  scopes: { signIn: string; consent: string };
  /** As Nightkeep asks: pushed where the provider offers it and believes the client. */
  signIn: Asked;
  consent: Asked;
  /** The same without pushing, where Nightkeep pushes; it tells the reason where a provider hides it. */
  direct?: { signIn: Asked; consent: Asked } | undefined;
  /** Whether the client proved itself at the token endpoint. */
  believed: boolean;
}

/** What the claims of offline tokens say, unverified; nothing of the tokens themselves. */
export interface TokenFacts {
  /** Tokens that were opened, those of them that can be read, and tokens that did not open. */
  opened: number;
  readable: number;
  shut: number;
  /** For tokens that can be read: Keycloak's `typ` Offline, `exp`, and `reuse_id`, which it sets once tokens are revoked on use. */
  offline: number;
  ending: number;
  counted: number;
  /** Issuers other than the one of the settings. */
  strangeIssuers: readonly string[];
}
