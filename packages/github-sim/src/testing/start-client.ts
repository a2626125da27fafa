import { systemClock } from '@baton/shared/time';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { defaultOptions, type SimOptions } from '../core/options.ts';
import { startSimulator } from '../http/server.ts';
import { SimClient } from './sim-client.ts';

/** A client of a simulator of its own, which ends with the test. */
export async function startClient(options: Partial<SimOptions> = {}): Promise<SimClient> {
  const sim = await startSimulator({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    options: { ...defaultOptions, token: 'pat', pollHoldMs: 100, ...options },
  });
  onTestFinished(() => sim.close());
  const client = new SimClient(sim.url);
  await client.authenticate();
  return client;
}

/** The `typeName` of an error of the Actions service. */
export async function typeName(answer: Response): Promise<string | undefined> {
  return z.object({ typeName: z.string().optional() }).parse(await answer.json()).typeName;
}
