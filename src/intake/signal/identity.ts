/** Returns the source fingerprint that all signals of a fingerprint share, so that they end together whatever else they say. */
export const signalIdentity = (fingerprint: string) => `signal:${fingerprint}`;
