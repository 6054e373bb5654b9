/** What all signals of a fingerprint have for a source fingerprint: they end together, whatever else they say. */
export const signalIdentity = (fingerprint: string) => `signal:${fingerprint}`;
