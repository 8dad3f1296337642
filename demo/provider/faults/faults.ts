/** Whether a fault is injected before the provider has used the token up, or after. */
type When = 'before' | 'after';

/** `id_token iat`: dated by a clock that is an hour slow. */
export type OddPart = 'expires_in' | 'token_type' | 'id_token iat' | 'id_token iss' | 'no refresh_token';

/** A fault that can be injected into a token request. */
export type Fault =
  /** The answer is delayed by this time of the provider's clock. */
  | { kind: 'slow'; when: When; ms: number }
  /** The answer waits until this is fulfilled; only inside one process. */
  | { kind: 'held'; when: When; until: () => Promise<unknown> }
  /** The connection is cut: before the token is used up, or after, and then the answer is lost. */
  | { kind: 'cut'; when: When }
  /** A 200 whose second half never arrives. */
  | { kind: 'truncated' }
  /** A server error instead of the answer. */
  | { kind: 'status'; when: When; status: 429 | 500 | 502 | 503 | 504; retryAfter?: string }
  /** A proxy's HTML page instead of the answer. */
  | { kind: 'page'; when: When; status: 200 | 403 | 502 }
  /** An unfounded refusal; the token is not used up. */
  | { kind: 'invalid_grant' }
  /** An invalid answer. Without a refresh token in it, the one that was sent is not used up. */
  | { kind: 'odd'; part: OddPart }
  /** The provider signs with a new key from this answer on. */
  | { kind: 'rollover' };

/** What the choice of a fault can depend on. */
export interface FaultyRequest {
  /** Counts all token requests, from 1. */
  readonly number: number;
  readonly grantType: string;
  /** The offline session of the token that was sent, where this provider issued it. */
  readonly sid?: string | undefined;
  readonly clientId?: string | undefined;
}

export type ChooseFault = (request: FaultyRequest) => Fault | undefined;

/** Which faults are injected: into refresh requests only, unless `use` chooses otherwise. */
export interface Faults {
  /** Injects the fault into the next `times` refresh requests, after those that are queued already. */
  next(fault: Fault, times?: number): void;
  /** Lets this function choose for each token request, once no queued fault is left; undefined removes it. */
  use(choose: ChooseFault | undefined): void;
  /** Injects one of these faults into a share (0 to 1) of refresh requests, determined by the seed. */
  seeded(options: { seed: number; share: number; among?: readonly Fault[] }): void;
  /** Injects no more faults. */
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

/** One fault of each kind; the slow ones just below and just above the client's time limit. */
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

/** Pseudo-random numbers from 0 to 1, determined by the seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
