/** Whether a fault strikes before the provider has used the token up, or after. */
type When = 'before' | 'after';

/** `id_token iat`: dated by a clock that is an hour late. */
export type OddPart = 'expires_in' | 'token_type' | 'id_token iat' | 'id_token iss' | 'no refresh_token';

/** What can go wrong with one token request. */
export type Fault =
  /** The answer takes so long (by the provider's clock). */
  | { kind: 'slow'; when: When; ms: number }
  /** The answer waits for this; only inside one process. */
  | { kind: 'held'; when: When; until: () => Promise<unknown> }
  /** The connection is cut: before the token is used up, or after, and then the answer is lost. */
  | { kind: 'cut'; when: When }
  /** A 200 of which only the first half arrives. */
  | { kind: 'truncated' }
  /** An error of the server in place of the answer. */
  | { kind: 'status'; when: When; status: 429 | 500 | 502 | 503 | 504; retryAfter?: string }
  /** A page of a proxy in place of the answer. */
  | { kind: 'page'; when: When; status: 200 | 403 | 502 }
  /** A refusal without a reason; the token is not used up. */
  | { kind: 'invalid_grant' }
  /** An answer as it should not be. Without a refresh token the one that was sent is not used up. */
  | { kind: 'odd'; part: OddPart }
  /** The provider signs with a new key from this answer on. */
  | { kind: 'rollover' };

/** A token request as the choice of a fault sees it. */
export interface FaultyRequest {
  /** Counts all token requests, from 1. */
  readonly number: number;
  readonly grantType: string;
  /** The offline session of the token that was sent, where it is one of ours. */
  readonly sid?: string | undefined;
  readonly clientId?: string | undefined;
}

export type ChooseFault = (request: FaultyRequest) => Fault | undefined;

/** What will go wrong. Faults inject refresh requests only, unless a choice of your own says otherwise. */
export interface Faults {
  /** The next refresh requests, as many as named, meet this fault. More of them queue up. */
  next(fault: Fault, times?: number): void;
  /** Each token request asks this choice, after those that were queued; undefined for none. */
  use(choose: ChooseFault | undefined): void;
  /** A share (0 to 1) of refresh requests meets one of these faults: which, follows from the seed. */
  seeded(options: { seed: number; share: number; among?: readonly Fault[] }): void;
  /** Nothing goes wrong any more. */
  clear(): void;
}

export function openFaults(): Faults & { choose: ChooseFault } {
  let queue: Fault[] = [];
  let chosen: ChooseFault | undefined;
  return {
    next: (fault, times = 1) => queue.push(...Array.from({ length: times }, () => fault)),
    use: (choose) => {
      chosen = choose;
    },
    seeded: ({ seed, share, among = everyFault() }) => {
      chosen = ({ number, grantType }) => {
        const random = randomNumbers(seed + number * 0x9e3779b9);
        if (grantType !== 'refresh_token' || random() >= share) return undefined;
        return among[Math.floor(random() * among.length)];
      };
    },
    clear: () => {
      queue = [];
      chosen = undefined;
    },
    choose: (request) => (request.grantType === 'refresh_token' && queue.shift()) || chosen?.(request),
  };
}

/** One of each kind; slow ones just under and just over the time limit of the client. */
export function everyFault(limitMs = 15_000): Fault[] {
  const sides: When[] = ['before', 'after'];
  return [
    ...sides.flatMap((when): Fault[] => [
      { kind: 'slow', when, ms: limitMs - 500 },
      { kind: 'slow', when, ms: limitMs + 500 },
      { kind: 'cut', when },
      { kind: 'status', when, status: 500 },
      { kind: 'status', when, status: 503, retryAfter: '7' },
      { kind: 'page', when, status: 200 },
      { kind: 'page', when, status: 403 },
      { kind: 'page', when, status: 502 },
    ]),
    { kind: 'status', when: 'before', status: 429, retryAfter: '7' },
    { kind: 'truncated' },
    { kind: 'invalid_grant' },
    { kind: 'odd', part: 'expires_in' },
    { kind: 'odd', part: 'token_type' },
    { kind: 'odd', part: 'id_token iat' },
    { kind: 'odd', part: 'id_token iss' },
    { kind: 'odd', part: 'no refresh_token' },
    { kind: 'rollover' },
  ];
}

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
