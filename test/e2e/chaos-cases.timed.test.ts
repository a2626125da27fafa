import { systemClock } from '@baton/shared/time';
import { expect, test } from 'vitest';
import { chaosCases } from '../../bench/chaos/cases.ts';
import { type ChaosOptions, runChaos } from '../../bench/chaos/chaos.ts';

const usual: Omit<ChaosOptions, 'seed'> = {
  minutes: 1,
  targets: [],
  githubOutages: false,
  providerLies: false,
  traces: false,
  scaleSets: 6,
  jobsPerMinute: 1,
  settleMinutes: 1.5,
  keepLogs: false,
};

/** What broke a promise in a run of chaos is done again, step by step, and judged by the same books. */
test.each(chaosCases)(
  '$what (seed $seed)',
  async ({ what: _what, ...given }) => {
    const said: string[] = [];
    const say = (text: string) => void said.push(text);
    const { signal } = new AbortController();
    const context = { env: process.env, clock: systemClock, random: Math.random, say, signal };
    const { promisesBroken, logs } = await runChaos(context, { ...usual, ...given });

    expect(promisesBroken, `${said.join('\n')}\nlogs: ${logs ?? '-'}`).toEqual([]);
  },
  180_000,
);
