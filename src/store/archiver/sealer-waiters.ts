import type { DataId } from '../format/ids.ts';
import type { SealedStream, SoFar } from './sealing-messages.ts';

/** Those who wait for a sealer. Once it is broken all of them are refused with the error, and so is who comes later. */
export interface SealerWaiters {
  readonly broken: { readonly error: unknown } | undefined;
  /** The blobs of a stream, once they are sealed. */
  content(stream: number): Promise<readonly DataId[]>;
  sealed(streams: readonly SealedStream[]): void;
  /** Packs finished and stored, and what a stream came to: each answered in the order in which it was asked. */
  finish(): Promise<void>;
  /** `stored` is called only where somebody waits for it: nobody else would look at its rejection. */
  finished(stored: () => Promise<void>): void;
  tell(): Promise<SoFar>;
  told(soFar: SoFar): void;
  /** Resolves the next time that there is space. */
  space(): Promise<void>;
  wake(): void;
  break(error: unknown): void;
}

/** Starts with nobody, and whole. */
export function openSealerWaiters(): SealerWaiters {
  const contents = new Map<number, PromiseWithResolvers<readonly DataId[]>>();
  const finishing: PromiseWithResolvers<void>[] = [];
  const asking: PromiseWithResolvers<SoFar>[] = [];
  let space = handled<void>();
  let broken: SealerWaiters['broken'];

  function join<T>(waiters: PromiseWithResolvers<T>[]): Promise<T> {
    if (broken !== undefined) return Promise.reject(broken.error);
    const answer = handled<T>();
    waiters.push(answer);
    return answer.promise;
  }

  return {
    get broken() {
      return broken;
    },
    content(stream) {
      const content = handled<readonly DataId[]>();
      if (broken !== undefined) content.reject(broken.error);
      contents.set(stream, content);
      return content.promise;
    },
    sealed(streams) {
      for (const { stream, content } of streams) {
        contents.get(stream)?.resolve(content);
        contents.delete(stream);
      }
    },
    finish: () => join(finishing),
    finished: (stored) => finishing.shift()?.resolve(stored()),
    tell: () => join(asking),
    told: (soFar) => asking.shift()?.resolve(soFar),
    space: () => space.promise,
    wake() {
      if (broken !== undefined) return;
      space.resolve();
      space = handled();
    },
    break(error) {
      broken ??= { error };
      for (const content of contents.values()) content.reject(error);
      contents.clear();
      space.reject(error);
      for (const one of [...finishing.splice(0), ...asking.splice(0)]) one.reject(error);
    },
  };
}

/** A rejection that nobody waits for must not end the process. */
function handled<T>(): PromiseWithResolvers<T> {
  const later = Promise.withResolvers<T>();
  later.promise.catch(() => undefined);
  return later;
}
