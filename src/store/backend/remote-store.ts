import type { Backend } from './backend.ts';

/** A part of a server in which repositories are kept. */
export interface RemoteStore extends AsyncDisposable {
  /** The repository whose files all lie below this path, which has no slash around it. */
  open(path: string): Backend;
  /** The names of the places of repositories directly below this path (empty for the top), in no order. */
  places(path: string): AsyncIterable<string>;
}
