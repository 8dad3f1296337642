/**
 * What sends requests is loaded by itself: without the rest of undici (fetch, caches, WebSockets) a process that asks no provider, such
 * as a restore, starts some 50 ms sooner. The package has no types for its parts.
 */

declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici';
  export default Pool;
}

declare module 'undici/lib/dispatcher/agent.js' {
  import { Agent } from 'undici';
  export default Agent;
}
