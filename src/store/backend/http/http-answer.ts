/** What a server that keeps repositories answered, read whole. */
export interface HttpAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: Buffer;
}
