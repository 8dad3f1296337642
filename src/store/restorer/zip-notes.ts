/** The words of the notes in a zip file: what each is called, and the line above what it lists. */
export interface ZipNotes {
  /** Of what was left out, and why. */
  readonly missing: {
    readonly file: string;
    readonly lead: string;
    readonly why: {
      /** With what the log says of it. */
      readonly damaged: (message: string) => string;
      readonly unreadable: string;
      readonly unsafe: string;
      readonly special: string;
      readonly tooLarge: string;
    };
  };
  /** Of what has another name in the zip file. */
  readonly renamed: { readonly file: string; readonly lead: string };
  /** Of names that not every system can hold; behind `case` and `form` the other name follows. */
  readonly odd: {
    readonly file: string;
    readonly lead: string;
    readonly why: Readonly<Record<'case' | 'form' | 'long' | 'windows', string>>;
  };
  /** Of what a note has no room for. */
  readonly more: (count: number) => string;
}
