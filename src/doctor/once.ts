/** Opens at the first call, and answers every call with what came of that. */
export function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opening: Promise<T> | undefined;
  return () => {
    opening ??= Promise.resolve().then(open);
    return opening;
  };
}
