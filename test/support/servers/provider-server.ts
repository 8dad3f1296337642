import { type DemoProvider, type ProviderOptions, startProvider } from '../../../demo/provider/provider.ts';
import { systemClock } from '../../../src/clock.ts';

/**
 * The provider as a process of its own: started by `fork` with IPC, told its options first and then what to do, one
 * message each. It ends with the process that started it. With a journal it can be killed at any moment.
 */

/** One wish: the provider's options, or a call of its admin, faults or log. */
export type ProviderWish = { id: number } & (
  | { do: 'start'; options: Omit<ProviderOptions, 'clock'> }
  | { do: 'admin' | 'faults' | 'log'; call: string; with: unknown[] }
  | { do: 'shift'; ms: number }
);

let shifted = 0;
let provider: DemoProvider | undefined;

async function fulfil(wish: ProviderWish): Promise<unknown> {
  if (wish.do === 'shift') {
    shifted += wish.ms;
    return undefined;
  }
  if (wish.do === 'start') {
    provider = await startProvider({ ...wish.options, clock: systemClock(() => shifted) });
    return provider.issuer;
  }
  const call: unknown = provider && Reflect.get(provider[wish.do], wish.call);
  if (typeof call !== 'function') throw new Error(`The provider has no ${wish.do}.${wish.call}.`);
  return call(...wish.with);
}

process.on('message', (wish: ProviderWish) => {
  fulfil(wish).then(
    (value) => process.send?.({ id: wish.id, value }),
    (error: unknown) => process.send?.({ id: wish.id, fault: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
