/** A person of the demo: how they sign in, and what the provider says about them. */
export interface Person {
  readonly username: string;
  readonly password: string;
  /** The subject identifier that relying parties get; not the user name. */
  readonly subject: string;
  readonly name: string;
  readonly email: string;
  /** IANA time zone. */
  readonly zone: string;
  readonly roles: readonly string[];
}

export const alice: Person = {
  username: 'alice',
  password: 'alice',
  subject: '6f2c1d4e-8a1b-4d0e-9a53-0c5d7d1a11ce',
  name: 'Alice Liddell',
  email: 'alice@demo.example',
  zone: 'Europe/London',
  roles: [],
};

export const bob: Person = {
  username: 'bob',
  password: 'bob',
  subject: '0b0b5a7e-3c44-4f7e-8b6c-1f0c9e2d0b0b',
  name: 'Bob Marlow',
  email: 'bob@demo.example',
  zone: 'America/New_York',
  roles: [],
};

/** The operator: has no files, but the operator's role. */
export const carol: Person = {
  username: 'carol',
  password: 'carol',
  subject: 'ca401000-5d3a-4a27-b1f6-2f9e64d0ca40',
  name: 'Carol Hathaway',
  email: 'carol@demo.example',
  zone: 'Europe/Berlin',
  roles: ['nightkeep-operator'],
};

/** The administrator of the provider, who has no account in the realm. */
export const administrator = { username: 'admin', password: 'admin' };

export const people: readonly Person[] = [alice, bob, carol];
