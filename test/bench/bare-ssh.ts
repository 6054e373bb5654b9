import { Client } from "ssh2";
import type { Sshd } from "../support/sshd.ts";

/** A connection that does nothing but run commands: no checks, no limits, no record. */
export type BareSession = { run(command: string): Promise<void>; end(): void };

export async function bareSession({ host, port, user, privateKey }: Sshd): Promise<BareSession> {
  const client = new Client();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.once("ready", resolve).once("error", reject);
  client.connect({ host, port, username: user, privateKey });
  await promise;
  return {
    run(command) {
      const done = Promise.withResolvers<void>();
      client.exec(command, (error, channel) => {
        if (error !== undefined) return done.reject(error);
        channel.once("close", () => done.resolve());
        channel.resume();
        channel.stderr.resume();
      });
      return done.promise;
    },
    end: () => client.end(),
  };
}
