/** What a server that keeps repositories answered. */
export interface HttpAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: Buffer;
  /** There was more than was asked for: the rest was not read. */
  readonly isCut: boolean;
}
