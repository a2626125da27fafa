import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { Secret } from '@baton/shared/config';
import { expect, test } from 'vitest';
import type { ProviderBench } from '../conformance.ts';
import { aRequest } from '../testing/a-request.ts';
import { eventuallyState, neverAborted as signal } from './wait.ts';

/** The longest that GitHub takes. */
const longestName = `baton-${'n'.repeat(58)}`;

export function listTests(bench: () => ProviderBench): void {
  test('lists exactly its own, each with all its tags', async () => {
    const { provider, foreign, second = provider } = bench();
    const requests = [
      aRequest(),
      aRequest({ runnerId: 'runner-2', runnerName: longestName, generation: 'g2' }),
      aRequest({
        runnerId: 'r3',
        runnerName: 'other-r3',
        scaleSetId: 'set-2-6f0c',
        generation: 'b7',
      }),
    ];
    await foreign.create(aRequest({ runnerId: 'theirs', installationId: 'other' }), signal);
    for (const request of requests) await provider.create(request, signal);

    const found = await second.list(signal);

    const tags = found.map(({ runnerId, runnerName, scaleSetId, generation }) => [
      runnerId,
      runnerName,
      scaleSetId,
      generation,
    ]);
    expect(new Set(tags.map(String))).toEqual(
      new Set(requests.map((r) => String([r.runnerId, r.runnerName, r.scaleSetId, r.generation]))),
    );
    expect(tags).toHaveLength(requests.length);
    expect(new Set(found.map(({ instanceId }) => instanceId)).size).toBe(requests.length);
  });

  test.each([0, 1, 7, 137])('reports exit code %i', async (code) => {
    const request = aRequest({ jitConfig: new Secret(`exit ${code}`) });
    const { instanceId } = await bench().provider.create(request, signal);

    const instance = await eventuallyState(bench().provider, instanceId, 'exited');

    expect(instance.exitCode).toBe(code);
    expect(Date.parse(instance.exitedAt ?? '')).not.toBeNaN();
    expect(Date.parse(instance.exitedAt ?? '')).toBeGreaterThan(Date.now() - 3_600_000);
  });

  test('shows the JIT config in no list and in no error', async () => {
    const { provider } = bench();
    const word = randomUUID();
    const jitConfig = new Secret(`exit 1 ${word}`);
    const request = aRequest({ jitConfig });
    const { instanceId } = await provider.create(request, signal);
    await eventuallyState(provider, instanceId, 'exited');
    const wrong = [
      { settings: { noSuchSetting: true } },
      { installationId: 'other' },
      { runnerId: '../escape' },
    ];

    const thrown = await Promise.all(
      wrong.map((changes) =>
        provider.create(aRequest({ jitConfig, ...changes }), signal).then(
          () => undefined,
          (error: unknown) => error,
        ),
      ),
    );

    expect(thrown.slice(0, 2)).not.toContain(undefined);
    const shown = inspect([thrown, await provider.list(signal)], { depth: 10, showHidden: true });
    expect(shown).not.toContain(word);
  });
}
