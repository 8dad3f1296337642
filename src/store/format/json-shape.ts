import { AppError } from '../../errors.ts';

/** Readers for the JSON files of a repository. A field of the wrong type is an error that names the field. */
export type JsonObject = { readonly [name: string]: unknown };

/** The JSON object in these bytes. Throws `repository/damaged`. */
export function parseJsonObject(bytes: Uint8Array, what: string): JsonObject {
  try {
    return asObject(JSON.parse(new TextDecoder('utf-8').decode(bytes)), what);
  } catch (cause) {
    throw cause instanceof AppError ? cause : malformed(what, cause);
  }
}

/** Throws `repository/damaged`, with the name of what is read, unless the value is an object. */
export function asObject(value: unknown, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(what);
  return value as JsonObject;
}

/** Throws `repository/damaged` unless the value is an array. */
export function asList(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(what);
  return value;
}

/** Throws `repository/damaged` unless the value is a string. */
export function asText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw malformed(what);
  return value;
}

/** A whole number of at least 0; Go's uint64 may be larger than JavaScript counts exactly. */
export function asCount(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw malformed(what);
  return value;
}

/** Reads the field when it is there; null counts as absent. */
export function optional<T>(value: unknown, read: (value: unknown, what: string) => T, what: string): T | undefined {
  return value === undefined || value === null ? undefined : read(value, what);
}

/** The object without its undefined fields. */
export function present<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const kept: Partial<T> = {};
  for (const name in object) if (object[name] !== undefined) kept[name] = object[name];
  return kept as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** The error for a file of the repository that is not well formed. */
export function malformed(what: string, cause?: unknown): AppError {
  return new AppError('repository/damaged', `The repository holds a ${what} that is not well formed.`, { cause });
}
