/** An error answer of the provider's endpoints (RFC 6749, section 5.2), in Keycloak's words. */
export class Refusal extends Error {
  readonly status: number;
  readonly error: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, error: string, description: string, headers: Record<string, string> = {}) {
    super(description);
    this.status = status;
    this.error = error;
    this.headers = headers;
  }
}

export const invalidGrant = (description: string) => new Refusal(400, 'invalid_grant', description);
export const notAllowed = () => new Refusal(400, 'not_allowed', 'Offline tokens not allowed for the user or client');
