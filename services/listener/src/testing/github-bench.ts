import {
  GitHubTransport,
  MessageQueueClient,
  parseConfigUrl,
  type QueueAccess,
  ScaleSetClient,
  TokenSources,
} from '@baton/scaleset';
import { Secret } from '@baton/shared/config';
import { silentLogger } from '@baton/shared/telemetry';
import { systemClock } from '@baton/shared/time';
import { startTestSimulator } from '@baton/testkit';
import { onTestFinished } from 'vitest';

type BenchOptions = NonNullable<Parameters<typeof startTestSimulator>[0]> & {
  /** The deadline of a poll, in ms. Default 75 s. */
  pollTimeoutMs?: number;
};

/** A simulated GitHub of a test's own, and clients for it; they end with the test. */
export async function aGitHub({ pollTimeoutMs, ...options }: BenchOptions = {}) {
  const sim = await startTestSimulator({ token: 'pat', pollHoldMs: 60, ...options });
  const transport = new GitHubTransport({
    clock: systemClock,
    random: () => 0.5,
    log: silentLogger(),
    identity: { system: 'baton', version: '0.0.0', commitSha: '', subsystem: 'test' },
    ...(pollTimeoutMs === undefined ? {} : { pollTimeoutMs }),
  });
  onTestFinished(async () => {
    await transport.close();
    await sim[Symbol.asyncDispose]();
  });
  const { configUrl, control } = sim;
  const credential = {
    kind: 'pat',
    token: new Secret('pat'),
    hosts: [new URL(configUrl).host],
  } as const;
  const tokens = new TokenSources(transport).get(parseConfigUrl(configUrl), credential);
  const client = new ScaleSetClient({ transport, tokens });
  return {
    control,
    configUrl,
    client,
    writeCredentials: sim.writeCredentials.bind(sim),
    /** Creates the scale set `linux` behind Baton's back and returns its id. */
    aScaleSet: async () => (await client.createScaleSet(linux)).id,
    queue: (scaleSetId: number) => new WatchedQueue({ transport, tokens, scaleSetId }),
    /** What GitHub knows about `linux`. */
    state: async () => {
      const { scaleSets } = await control.state();
      return scaleSets.find(({ name }) => name === linux.name);
    },
  };
}

export type TestGitHub = Awaited<ReturnType<typeof aGitHub>>;

const linux = { name: 'linux', runnerGroupId: 1, labels: ['linux'] };

/** A queue that tells which messages were deleted, and can be told to fail around a delete. */
class WatchedQueue extends MessageQueueClient {
  readonly deleted: string[] = [];
  beforeDelete: (messageId: string) => void = () => undefined;
  afterDelete: (messageId: string) => void = () => undefined;

  override async deleteMessage(messageId: string, access: QueueAccess): Promise<void> {
    this.beforeDelete(messageId);
    await super.deleteMessage(messageId, access);
    this.deleted.push(messageId);
    this.afterDelete(messageId);
  }
}
