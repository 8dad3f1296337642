import { randomUUID } from 'node:crypto';
import type { ExpectedToken } from '../../../demo/cloud/access.ts';
import type { Person } from '../../../demo/people.ts';

/** What an administrator sets in the realm; what is absent stays as it is. */
export interface Rules {
  /** Offline tokens: how long they live unused, and at the longest (without end unless said). */
  readonly offlineIdleSeconds?: number;
  readonly offlineMaxSeconds?: number;
  /** How long a browser stays signed in, used or not (SSO Session Idle and SSO Session Max). */
  readonly ssoSeconds?: number;
  /** Revoke Refresh Token: off, or how often a used token may come back before it ends the session. */
  readonly rotation?: 'off' | { readonly reuse: number };
}

/** What can befall a consent at its provider. */
export type RealmFault =
  | 'the person removes access in the account console'
  | 'an administrator deletes the consent'
  | 'an administrator signs the person out'
  | 'a not-before policy is pushed for the realm'
  | 'a not-before policy is pushed for the client'
  | 'the person is disabled'
  | 'the person is deleted'
  | 'the role offline_access is taken from the person'
  | 'the scope offline_access is taken from the client'
  | 'the client is disabled'
  | 'the secret of the client is changed'
  | 'the realm is imported again with other keys';

/** A realm of its own at a provider: people who may all have offline access, and Nightkeep as a client. */
export interface Realm extends AsyncDisposable {
  readonly issuer: string;
  readonly client: { readonly id: string; readonly secret: string };
  /** What it calls itself at another address of its own, where it has one. */
  readonly movedIssuer?: string;
  /** Takes it there from where it was, and back; absent where it answers at both. It refuses the tokens of its old name unless told otherwise. */
  move?(how?: { takesFormerName: true }): Promise<void>;
  /** What its access tokens say, where not what those of the demo's provider do. */
  readonly accessToken?: ExpectedToken;
  configure(rules: Rules): Promise<void>;
  /** Moves the provider's clock on; absent where that cannot be done. */
  advance?(ms: number): void;
  /** How many offline sessions of this person with Nightkeep the administrator sees. */
  offlineSessions(person: Person): Promise<number>;
  /** How many accesses of Nightkeep the provider's account page shows the person. */
  accessesShownTo(person: Person): Promise<number>;
  /** Makes it happen, and gives what undoes it where that is possible. */
  inject(fault: RealmFault, person: Person): Promise<(() => Promise<void>) | undefined>;
  /** Holds the answer to the next exchange on its way, after the provider has given it; only where the realm is `wired`. */
  holdNextAnswer(): HeldAnswer;
  /** The person sits down at a fresh browser. */
  visitor(person: Person): Promise<Visitor>;
}

export type Question = 'password' | 'consent';

/** A person with a browser. Whatever the provider asks on the way, they type their password and say yes, or no. */
export interface Visitor extends AsyncDisposable {
  /** Opens an address, and answers until the provider has nothing more to ask. */
  open(url: string): Promise<void>;
  /** Presses the button or follows the link with this text, and then does the same. */
  press(text: string): Promise<void>;
  url(): string;
  /** What the page says. */
  text(): Promise<string>;
  /** What the provider asked since this was last called. */
  asked(): Question[];
  /** From now on the person says no where the provider asks for consent. */
  decline(): void;
  /** Follows the address that a device shows, and connects the device. */
  connectDevice(url: string): Promise<void>;
  /** Signs out at the provider itself. */
  signOutAtProvider(): Promise<void>;
}

/** How Nightkeep is known at the provider, and proves that it is the one. */
export type ClientKind =
  | 'confidential, with a secret'
  | 'confidential, its requests must be pushed'
  | 'confidential, with a private key'
  | 'public, its tokens bound to a key'
  | 'confidential, for other devices'
  | 'confidential, with passwords of people'
  | 'confidential, for itself';

/** A realm that a scenario needs. */
export interface WantedRealm {
  /** Where Nightkeep is. */
  readonly nightkeep: URL;
  readonly people: readonly Person[];
  readonly rules: Rules;
  /** With a secret unless said otherwise. */
  readonly client?: ClientKind;
  /** Backchannel logout revoke offline sessions: off unless said. */
  readonly logoutEndsConsent?: boolean;
  /** Nightkeep reaches it over a wire on which answers can be held. */
  readonly wired?: boolean;
}

/** An answer of the provider that is on its way and does not arrive yet. */
export interface HeldAnswer {
  /** The provider has given it: whatever it does with the token is done. */
  readonly given: Promise<void>;
  release(): void;
}

/** A provider that scenarios are played on. */
export interface Provider {
  openRealm(wanted: WantedRealm): Promise<Realm>;
  /** Since 26.4.4 and 26.5 Keycloak refuses a missing role or scope otherwise than before, and spends no token on it. */
  readonly behavesAs: '26.4' | '26.7';
  /** Restarts the server, where that can be done. */
  readonly restart: (() => Promise<void>) | undefined;
  /** Kills the server and starts it again, where that can be done. */
  readonly crash?: (() => Promise<void>) | undefined;
}

/** What a provider has no way of doing. */
export function cannot(what: string): never {
  throw new Error(`This provider cannot ${what}.`);
}

/** A client secret with the signs that some providers take encoded and some do not. */
export const newSecret = () => `${randomUUID()}_.`;
