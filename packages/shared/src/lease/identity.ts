import { identitySubject } from '../contracts/index.ts';
import { ConfigError } from '../errors/index.ts';
import type { Nats } from '../messaging/index.ts';

/** A process that is frozen, or whose host is gone, does not hold up its successor for longer, in ms. */
const answerWithinMs = 500;

/**
 * Makes sure that no other living process of the service has this identity, and answers from now on
 * whoever asks the same. Silence and a late answer prove nothing and are let pass, as is another
 * process that starts at the very same moment: whoever holds something looks again.
 * @throws ConfigError when another one answers.
 */
export async function takeIdentity(nats: Nats, service: string, identity: string): Promise<void> {
  const subject = identitySubject(service, identity);
  const asking = nats.connection.request(subject, undefined, { timeout: answerWithinMs }).then(
    () => true,
    () => false,
  );
  // Behind the question on the same connection, so that it is not answered by this process.
  nats.connection.subscribe(subject, {
    callback: (error, message) => {
      if (!error) message.respond();
    },
  });
  if (await asking) throw identityTaken(service, identity);
}

export function identityTaken(service: string, identity: string): ConfigError {
  return new ConfigError(
    `another living ${service} uses the identity "${identity}": give each process its own BATON_INSTANCE`,
  );
}
