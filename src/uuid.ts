/** Whether it is a UUID as PostgreSQL writes and reads them (RFC 9562, section 4), in small or capital letters. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
