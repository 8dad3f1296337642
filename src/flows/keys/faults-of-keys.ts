import type { Survey } from '../../config/config.ts';
import { isAppError } from '../../errors.ts';
import { readClientKeys } from '../../oidc/client-keys.ts';
import { parseKeyring } from '../../vault/keyring.ts';

/** The settings that hold keys: to whoever reads settings these are any text. */
type KeySetting = 'KEYRING' | 'OIDC_PRIVATE_KEY';

/** What is wrong with the keys in the settings, each with the cure: a service with these would not start. No key is quoted. */
export async function faultsOfKeys({
  keyring,
  provider: { privateKeyPem = '' },
}: Survey['settings']): Promise<ReadonlyMap<KeySetting, string>> {
  const faults = new Map<KeySetting, string>();
  const reads = {
    KEYRING: () => keyring !== undefined && parseKeyring(keyring),
    OIDC_PRIVATE_KEY: () => readClientKeys(privateKeyPem),
  };
  for (const name of ['KEYRING', 'OIDC_PRIVATE_KEY'] as const)
    try {
      await reads[name]();
    } catch (error) {
      if (!isAppError(error)) throw error;
      faults.set(name, error.message);
    }
  return faults;
}
