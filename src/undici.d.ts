/**
 * What sends requests is loaded by itself: without the rest of undici (fetch, caches, WebSockets) a process that asks no provider, such
 * as a restore, starts some 50 ms sooner. The package has no types for its parts. Alone they can only dispatch: the rest of a
 * dispatcher comes with the whole package.
 */

declare module 'undici/lib/dispatcher/pool.js' {
  import type { Pool as WholePool } from 'undici';

  interface Pool extends Pick<WholePool, 'dispatch' | 'close' | 'destroy' | 'destroyed'> {}
  const Pool: new (...options: ConstructorParameters<typeof WholePool>) => Pool;
  export default Pool;
}

declare module 'undici/lib/dispatcher/agent.js' {
  import type { Agent as WholeAgent } from 'undici';

  interface Agent extends Pick<WholeAgent, 'dispatch' | 'close' | 'destroy'> {}
  const Agent: new (...options: ConstructorParameters<typeof WholeAgent>) => Agent;
  export default Agent;
}

declare module 'undici/lib/api/api-request.js' {
  import type { Dispatcher } from 'undici';

  /** `Dispatcher.request` of whatever dispatches. */
  function request(
    this: Pick<Dispatcher, 'dispatch'>,
    options: Dispatcher.RequestOptions,
  ): Promise<Dispatcher.ResponseData>;
  export default request;
}
