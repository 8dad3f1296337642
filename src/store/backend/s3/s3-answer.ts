/** What a server that speaks S3 answered, read whole. */
export interface S3Answer {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: Buffer;
}
