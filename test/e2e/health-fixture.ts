import { eventually, type TestProcess } from '@baton/testkit';
import { z } from 'zod';

const startedSchema = z.looseObject({ healthPort: z.int() });
const wrongsSchema = z.record(z.string(), z.string());
export const readySchema = z.object({
  ready: z.boolean(),
  notReady: wrongsSchema,
  degraded: wrongsSchema,
});

/** What a service process says of itself over HTTP, and nothing else. */
export async function observe(child: TestProcess) {
  await child.said('"healthPort"');
  const line = child.stderr.split('\n').find((text) => text.includes('"healthPort"')) ?? '';
  const { healthPort } = startedSchema.parse(JSON.parse(line));
  const ask = async (path: string) => await fetch(`http://127.0.0.1:${healthPort}${path}`);
  const ready = async () => {
    const answer = await ask('/readyz');
    return { status: answer.status, ...readySchema.parse(await answer.json()) };
  };
  return {
    alive: async () => (await ask('/livez')).status,
    ready,
    /** Resolves when it is ready, or not ready with exactly these parts. */
    isReadyBut: async (...parts: string[]) =>
      await eventually(async () => {
        const { status, notReady } = await ready();
        const seen = Object.keys(notReady);
        if (seen.join() !== parts.join() || (status === 200) !== (parts.length === 0)) {
          throw new Error(`${status}: ${JSON.stringify(notReady)}`);
        }
        return notReady;
      }, patient),
    /** Every value on `/metrics`, by its name and labels as they stand there. */
    metrics: async (): Promise<ReadonlyMap<string, number>> => {
      const lines = (await (await ask('/metrics')).text()).split('\n');
      return new Map(
        lines
          .filter((text) => text && !text.startsWith('#'))
          .map((text) => {
            const at = text.lastIndexOf(' ');
            return [text.slice(0, at), Number(text.slice(at + 1))] as const;
          }),
      );
    },
  };
}

const patient = { timeoutMs: 30_000, everyMs: 50 };
