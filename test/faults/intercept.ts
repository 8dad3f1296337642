import type { Custody } from '../support/harness/custody.ts';

/** One thing that Nightkeep asks of the outside: every one of them can be where it all ends. */
export interface Step {
  readonly at: 'database' | 'disk' | 'provider';
  readonly name: string;
  /** The exchange whose answer is written. */
  readonly exchangeId?: string;
}

type Callable = (...given: never[]) => unknown;

export type Around = <T>(step: Step, call: () => Promise<T>) => Promise<T>;

/** The same part of Nightkeep, with `around` about each step it takes to the outside. A transaction is one step. */
export function intercept<Part extends Custody>(part: Part, around: Around): Part {
  const { database, spool, issuer } = part;
  const disk = (name: string) => ({ at: 'disk', name }) as const;
  return {
    ...part,
    database: new Proxy(database, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof name !== 'string') return value;
        if (isCallable(value)) return name.startsWith('$') ? verb(target, name, value, around) : value;
        return typeof value === 'object' && value !== null && /^[a-z]/.test(name) ? model(name, value, around) : value;
      },
    }),
    spool: {
      ...spool,
      keep: (name, sealed) => around({ ...disk('keep'), exchangeId: name }, () => spool.keep(name, sealed)),
      flush: (name) => around(disk('flush'), () => spool.flush(name)),
      drop: (name) => around(disk('drop'), () => spool.drop(name)),
      list: () => around(disk('list'), () => spool.list()),
    },
    issuer: {
      ...issuer,
      exchange: async (...sent) => {
        const answer = await around({ at: 'provider', name: 'exchange' }, () => issuer.exchange(...sent));
        if (answer.kind !== 'answered') return answer;
        return { ...answer, validate: () => around({ at: 'provider', name: 'validate' }, answer.validate) };
      },
      revoke: (token) => around({ at: 'provider', name: 'revoke' }, () => issuer.revoke(token)),
    },
  };
}

function verb(target: object, name: string, value: Callable, around: Around) {
  return (...given: unknown[]) => around({ at: 'database', name }, async () => Reflect.apply(value, target, given));
}

function model(name: string, target: object, around: Around): object {
  return new Proxy(target, {
    get: (inner, method) => {
      const value: unknown = Reflect.get(inner, method);
      return isCallable(value) ? verb(inner, `${name}.${String(method)}`, value, around) : value;
    },
  });
}

function isCallable(value: unknown): value is Callable {
  return typeof value === 'function';
}
